import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NO_LOG } from '../../src/log.ts';
import { Bridge, dialer, nextPeerId, type PeerDial } from '../../src/transport/index.ts';
import { bridgeRig, listenTcp, shut, type BridgeRig } from '../support/bridge-rig.ts';
import { openDirectWay } from '../support/door-way.ts';
import { HttpProbe } from '../support/http-probe.ts';
import { memoryPair } from '../support/memory-link.ts';
import { closed, digestOf, pattern, takeBytes, writeAll } from '../support/streams.ts';
import { openTunnelPort } from '../support/tunnel-way.ts';

const MIB = 1024 * 1024;
const GREETING = Buffer.alloc(1537, 3);

afterEach(() => vi.useRealTimers());

/** Resolves when the bridge has let go of this one: it hears the end and ends as well. */
async function dismissed(stream: Duplex): Promise<void> {
  stream.on('end', () => stream.end());
  await closed(stream);
}

describe('a bridge', () => {
  it('dials for nobody who says nothing', async () => {
    const rig = bridgeRig();
    const client = rig.client();
    client.end();
    await dismissed(client);
    expect(rig.dials()).toBe(0);
    expect(rig.bridge.count).toBe(0);
  });

  it('dials with the first byte, for whom it comes, and loses none of what came before the answer', async () => {
    const rig = bridgeRig();
    const client = rig.client();
    client.write(Buffer.from([3]));
    client.write(Buffer.from('and more'));
    await vi.waitFor(() => expect(rig.servers).toHaveLength(1));
    expect((await takeBytes(rig.servers[0]!, 9)).toString('latin1')).toBe('\x03and more');
    client.destroy();
  });

  it('reads no more than buffers hold until it is connected', async () => {
    let connect: (stream: Awaited<ReturnType<PeerDial>>) => void = () => {};
    const rig = bridgeRig({ dial: () => new Promise((resolve) => (connect = resolve)) });
    const client = rig.client();
    let written = 0;
    const count = function* (): Generator<Buffer> {
      for (const piece of pattern(4 * MIB)) {
        written += piece.length;
        yield piece;
      }
    };
    const writing = writeAll(client, count());
    await vi.waitFor(() => expect(rig.dials()).toBe(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBeLessThan(MIB);
    const [ours, theirs] = memoryPair();
    connect(ours);
    expect(await digestOf(theirs, 4 * MIB)).toEqual(await writing);
    client.destroy();
  });

  it.each(['rtmp', 'rtmpt'] as const)('carries 20 MiB each way at once for %s, every byte once', async (scheme) => {
    const rig = bridgeRig();
    const client = rig.client(scheme);
    client.write('x');
    await vi.waitFor(() => expect(rig.servers).toHaveLength(1));
    const server = rig.servers[0]!;
    await takeBytes(server, 1);
    const [up, down, heardUp, heardDown] = await Promise.all([
      writeAll(client, pattern(20 * MIB, 60_000, 1)),
      writeAll(server, pattern(20 * MIB, 50_000, 2)),
      digestOf(server, 20 * MIB),
      digestOf(client, 20 * MIB),
    ]);
    expect(heardUp).toEqual(up);
    expect(heardDown).toEqual(down);
    client.destroy();
    await dismissed(server);
  });

  it('passes a half-close on, and what is said after it', async () => {
    const rig = bridgeRig();
    const client = rig.client();
    client.end('question');
    await vi.waitFor(() => expect(rig.servers).toHaveLength(1));
    const server = rig.servers[0]!;
    expect((await takeBytes(server, 8)).toString()).toBe('question');
    await once(server.resume(), 'end');
    server.write('first ');
    server.end('last');
    expect((await takeBytes(client, 10)).toString()).toBe('first last');
    await once(client.resume(), 'end');
    await vi.waitFor(() => expect(rig.bridge.count).toBe(0));
  });

  it('passes on what a client says after the server has ended', async () => {
    const rig = bridgeRig();
    const client = rig.client();
    client.write('hello');
    await vi.waitFor(() => expect(rig.servers).toHaveLength(1));
    const server = rig.servers[0]!;
    server.end('that is all');
    await takeBytes(client, 11);
    await once(client.resume(), 'end');
    client.end(' and this too');
    expect((await takeBytes(server, 18)).toString()).toBe('hello and this too');
  });

  it('hands a client over untouched when no server can be reached', async () => {
    const rig = bridgeRig({ dial: shut });
    const client = rig.client();
    client.write(GREETING);
    await vi.waitFor(() => expect(rig.turnedAway).toHaveLength(1));
    expect(await takeBytes(rig.turnedAway[0]!, GREETING.length)).toEqual(GREETING);
    expect(rig.bridge.count).toBe(0);
    expect(rig.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'client turned away: no upstream server can be reached' }),
    );
  });

  it('destroys a tunnel when no server can be reached', async () => {
    const rig = bridgeRig({ dial: shut });
    const client = rig.client('rtmpt');
    client.write(GREETING);
    await dismissed(client);
    expect(rig.turnedAway).toEqual([]);
    expect(rig.bridge.count).toBe(0);
  });

  it('gives up dialling when the client leaves', async () => {
    let reason: unknown;
    const dial: PeerDial = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject((reason = signal.reason))));
    const rig = bridgeRig({ dial });
    const client = rig.client();
    client.write('x');
    await vi.waitFor(() => expect(rig.dials()).toBe(1));
    rig.arrivals[0]!.destroy(new Error('reset'));
    await vi.waitFor(() => expect(reason).toMatchObject({ code: 'CONNECTION_CLOSED' }));
    expect(rig.turnedAway).toEqual([]);
    expect(rig.bridge.count).toBe(0);
  });
});

describe('patience', () => {
  /** Fake: the sweeper, the clock and the gathering; streams go on by ticks. */
  const fakeTime = () =>
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });

  async function opened(rig: ReturnType<typeof bridgeRig>) {
    const client = rig.client();
    client.write('x');
    while (rig.servers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const server = rig.servers[0]!;
    await takeBytes(server, 1);
    return { client, server };
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async function expectEnded(rig: BridgeRig, client: Duplex, code: string): Promise<void> {
    await dismissed(client);
    await settle();
    expect(rig.lines.at(-1)).toMatchObject({ fields: { code } });
  }

  it('ends when the server never says a word', async () => {
    fakeTime();
    const rig = bridgeRig({ bridge: { firstWordTimeoutMs: 5_000 } });
    const { client } = await opened(rig);
    vi.advanceTimersByTime(4_000);
    await settle();
    expect(rig.bridge.count).toBe(1);
    vi.advanceTimersByTime(2_000);
    await expectEnded(rig, client, 'UPSTREAM_SILENT');
  });

  it('ends when nobody says anything for long', async () => {
    fakeTime();
    const rig = bridgeRig({ bridge: { idleTimeoutMs: 60_000 } });
    const { client, server } = await opened(rig);
    server.write('hello');
    await takeBytes(client, 5);
    vi.advanceTimersByTime(59_000);
    client.write('still here');
    await settle();
    vi.advanceTimersByTime(59_000);
    await settle();
    expect(rig.bridge.count).toBe(1);
    vi.advanceTimersByTime(3_000);
    await expectEnded(rig, client, 'IDLE_TIMEOUT');
  });

  it('ends sooner once one side has ended', async () => {
    fakeTime();
    const rig = bridgeRig({ bridge: { halfClosedTimeoutMs: 5_000 } });
    const { client, server } = await opened(rig);
    server.end('bye');
    await takeBytes(client, 3);
    await once(client.resume(), 'end');
    vi.advanceTimersByTime(4_000);
    expect(rig.bridge.count).toBe(1);
    vi.advanceTimersByTime(3_000);
    await settle();
    expect(rig.bridge.count).toBe(0);
  });

  it('ends a client that neither takes nor says anything, and not one that speaks', async () => {
    fakeTime();
    const rig = bridgeRig({ bridge: { drainTimeoutMs: 10_000 } });
    const { client, server } = await opened(rig);
    void writeAll(server, pattern(MIB)).catch(() => {});
    await settle();
    for (let i = 0; i < 20; i++) {
      client.write('a frame');
      await settle();
      vi.advanceTimersByTime(1_000);
      await settle();
    }
    expect(rig.bridge.count).toBe(1);
    vi.advanceTimersByTime(12_000);
    await settle();
    expect(rig.bridge.count).toBe(0);
    expect(rig.lines.at(-1)).toMatchObject({ fields: { code: 'PEER_STALLED' } });
  });

  it('sees a client off that stays although its server is gone, however much it says', async () => {
    fakeTime();
    const rig = bridgeRig({ bridge: { lingerMs: 2_000 } });
    const { client, server } = await opened(rig);
    server.destroy();
    await settle();
    for (let i = 0; i < 4; i++) {
      client.write('a frame');
      await settle();
      vi.advanceTimersByTime(1_000);
      await settle();
    }
    expect(rig.bridge.count).toBe(0);
  });

  it('stops politely: what was said is still heard', async () => {
    const rig = bridgeRig();
    const { client, server } = await opened(rig);
    server.write('last words');
    client.write('last frame');
    await settle();
    const stopped = rig.bridge.stop();
    expect((await takeBytes(client, 10)).toString()).toBe('last words');
    expect((await takeBytes(server, 10)).toString()).toBe('last frame');
    await once(client.resume(), 'end');
    await once(server.resume(), 'end');
    client.end();
    server.end();
    await stopped;
    expect(rig.bridge.count).toBe(0);
  });

  it('stops at once when asked to, silent clients and dialling ones included', async () => {
    const rig = bridgeRig({ dial: () => new Promise(() => {}) });
    const silent = rig.client();
    const dialling = rig.client();
    dialling.write('x');
    await vi.waitFor(() => expect(rig.dials()).toBe(1));
    rig.bridge.destroy();
    await Promise.all([dismissed(silent), dismissed(dialling)]);
    expect(rig.bridge.count).toBe(0);
  });
});

describe('over real sockets', () => {
  it('delivers the last words of a server that resets the connection, fifty times', async () => {
    const upstream = await listenTcp();
    const bridge = new Bridge({
      dial: dialer(`rtmp://127.0.0.1:${upstream.port}`),
      whenDown: (stream) => void stream.destroy(),
      log: NO_LOG,
    });
    const front = await listenTcp();
    const words = Buffer.alloc(20_000, 'last words;');
    for (let i = 0; i < 50; i++) {
      const client = net.connect({ port: front.port, host: '127.0.0.1', noDelay: true });
      client.on('error', () => {});
      const arrived = front.next();
      client.write(GREETING);
      const ours = await arrived;
      const reached = upstream.next();
      bridge.handle(ours, { scheme: 'rtmp', secure: false, address: '127.0.0.1', port: 1, id: nextPeerId() });
      const server = await reached;
      await takeBytes(server, GREETING.length);
      server.write('S');
      expect((await takeBytes(client, 1)).toString()).toBe('S');
      // In one go, so that the bridge finds the client's bytes first, then the words and the reset behind them.
      client.write('a frame');
      server.write(words);
      server.resetAndDestroy();
      expect(await takeBytes(client, words.length)).toEqual(words);
      client.destroy();
    }
    await vi.waitFor(() => expect(bridge.count).toBe(0), { timeout: 5_000 });
    await upstream.close();
    await front.close();
  });

  it('delivers the last frames of a publisher that resets the connection, fifty times', async () => {
    const upstream = await listenTcp();
    const dial = dialer(`rtmp://127.0.0.1:${upstream.port}`);
    const bridge = new Bridge({ dial, whenDown: (stream) => void stream.destroy(), log: NO_LOG });
    const front = await listenTcp();
    const frames = Buffer.alloc(20_000, 'last frames;');
    for (let i = 0; i < 50; i++) {
      const arrived = front.next();
      const client = net.connect({ port: front.port, host: '127.0.0.1', noDelay: true });
      client.on('error', () => {});
      client.write(GREETING);
      const ours = await arrived;
      const reached = upstream.next();
      bridge.handle(ours, { scheme: 'rtmp', secure: false, address: '127.0.0.1', port: 1, id: nextPeerId() });
      const server = await reached;
      await takeBytes(server, GREETING.length);
      // The acknowledgement is found first, then the frames and the reset behind them.
      server.write('an acknowledgement');
      client.write(frames);
      client.resetAndDestroy();
      expect(await takeBytes(server, frames.length)).toEqual(frames);
      server.destroy();
    }
    await vi.waitFor(() => expect(bridge.count).toBe(0), { timeout: 5_000 });
    await upstream.close();
    await front.close();
  });

  it('is stopped by a client that does not read, in bounded memory', async () => {
    const upstream = await listenTcp();
    const dial = dialer(`rtmp://127.0.0.1:${upstream.port}`);
    const bridge = new Bridge({ dial, whenDown: (stream) => void stream.destroy(), log: NO_LOG });
    const way = await openDirectWay('rtmp', bridge.handle);
    const client = await way.dial(new AbortController().signal);
    const reached = upstream.next();
    client.write(GREETING);
    const server = await reached;
    server.resume();
    let written = 0;
    const counted = function* (): Generator<Buffer> {
      for (const piece of pattern(256 * MIB)) {
        written += piece.length;
        yield piece;
      }
    };
    const writing = writeAll(server, counted()).catch(() => undefined);
    for (let last = -1; last !== written;) {
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(written).toBeLessThan(32 * MIB);
    client.destroy();
    await writing;
    await way.close();
    await upstream.close();
  });
});

describe.each(['own', 'router'] as const)('under a tunnel (%s engine)', (engine) => {
  async function tunnelTo(dial: PeerDial) {
    const bridge = new Bridge({ dial, whenDown: (stream) => void stream.destroy(), log: NO_LOG });
    const port = await openTunnelPort(engine, false, bridge.handle);
    const probe = await HttpProbe.connect(port.port);
    const id = (await probe.post('/open/1')).body.toString('latin1').trim();
    const close = async (): Promise<void> => {
      bridge.destroy();
      await port.close();
      probe.socket.destroy();
    };
    return { bridge, port: port.port, probe, id, close };
  }

  it('dials with the first send, not with the id', async () => {
    let dials = 0;
    const { probe, id, close } = await tunnelTo(async () => {
      dials += 1;
      return shut(new AbortController().signal);
    });
    await probe.post(`/idle/${id}/0`);
    expect(dials).toBe(0);
    await probe.post(`/send/${id}/1`, 'x');
    expect(dials).toBe(1);
    await close();
  });

  it('answers the first send with 503 when no server can be reached, and then 404', async () => {
    const { port, probe, id, close } = await tunnelTo(shut);
    expect((await probe.post(`/send/${id}/0`, GREETING)).status).toBe(503);
    const again = await HttpProbe.connect(port);
    expect((await again.post(`/idle/${id}/1`)).status).toBe(404);
    again.socket.destroy();
    await close();
  });

  it('still delivers what the server said last, and then 404', async () => {
    const upstream = await listenTcp();
    const { bridge, probe, id, close } = await tunnelTo(dialer(`rtmp://127.0.0.1:${upstream.port}`));
    const reached = upstream.next();
    probe.send(`/send/${id}/0`, GREETING);
    const server = await reached;
    await takeBytes(server, GREETING.length);
    server.end(Buffer.concat([Buffer.alloc(3073, 5), Buffer.from('rejected, sorry')]));
    const said: Buffer[] = [];
    let answer = await probe.answer();
    for (let number = 1; answer.status === 200; number++) {
      said.push(answer.body.subarray(1));
      answer = await probe.post(`/idle/${id}/${number}`);
    }
    expect(answer.status).toBe(404);
    expect(Buffer.concat(said).subarray(3073).toString()).toBe('rejected, sorry');
    await vi.waitFor(() => expect(bridge.count).toBe(0), { timeout: 5_000 });
    await upstream.close();
    await close();
  });

  it('ends the server with /close within 100 ms', async () => {
    const upstream = await listenTcp();
    const { bridge, probe, id, close } = await tunnelTo(dialer(`rtmp://127.0.0.1:${upstream.port}`));
    const reached = upstream.next();
    probe.send(`/send/${id}/0`, GREETING);
    const server = await reached;
    server.write(Buffer.alloc(3073));
    await probe.answer();
    const ended = once(server.resume(), 'end');
    const asked = performance.now();
    await probe.post(`/close/${id}/1`);
    await ended;
    expect(performance.now() - asked).toBeLessThan(100);
    server.end();
    await vi.waitFor(() => expect(bridge.count).toBe(0), { timeout: 5_000 });
    await upstream.close();
    await close();
  });
});
