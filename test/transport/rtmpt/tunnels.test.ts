import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TransportError, UsageError } from '../../../src/errors.ts';
import { NO_LOG } from '../../../src/log.ts';
import { parseTarget } from '../../../src/transport/rtmpt/paths.ts';
import { Post } from '../../../src/transport/rtmpt/post.ts';
import { TUNNEL_DEFAULTS } from '../../../src/transport/rtmpt/tunnel-options.ts';
import { Tunnels, type Fixed, type HttpPeer, type TunnelRequest } from '../../../src/transport/rtmpt/tunnels.ts';
import type { Sleeper } from '../../../src/transport/rtmpt/wheel.ts';
import { recordingLog } from '../../support/recording-log.ts';

const PEER: HttpPeer = { address: '192.0.2.1', port: 4711, secure: false, trusted: false };
const ENGINE = { wake() {}, resume() {} };
const CLIENTS = { acquire: () => () => {} };

function request(path: string, changes: Partial<TunnelRequest> = {}): TunnelRequest {
  const target = parseTarget(path)!;
  return { method: 'POST', target, length: 1, persistent: true, forwarded: () => ({}), ...changes };
}

function tunnelsWith(options: ConstructorParameters<typeof Tunnels>[0] = {}, log = NO_LOG): Tunnels {
  return new Tunnels(options, { handler: (stream) => void stream.resume(), log, clients: CLIENTS });
}

function open(tunnels: Tunnels, peer: HttpPeer = PEER): string {
  return (tunnels.receive(request('/open/1'), peer, ENGINE) as Fixed).body.trimEnd();
}

/** A send, as an engine brings it. */
function send(tunnels: Tunnels, id: string, number: number, body: string): Post {
  const post = tunnels.receive(request(`/send/${id}/${number}`, { length: body.length }), PEER, ENGINE) as Post;
  post.tunnel.body(post, Buffer.from(body), tunnels.now());
  post.tunnel.complete(post, tunnels.now());
  return post;
}

/** Tunnels that tell how many sleep in their wheel. */
function counting(): { tunnels: Tunnels; sleepers: () => number } {
  const beds = new Set<Sleeper>();
  class Counting extends Tunnels {
    override schedule(sleeper: Sleeper, at: number): void {
      super.schedule(sleeper, at);
      beds.add(sleeper);
    }
  }
  const tunnels = new Counting({}, { handler: (stream) => void stream.resume(), log: NO_LOG, clients: CLIENTS });
  return { tunnels, sleepers: () => [...beds].filter(({ bed }) => bed !== undefined).length };
}

describe('sessions', () => {
  test('have ids of their own, behind the node tag', () => {
    const tunnels = tunnelsWith({ nodeTag: 'n1' });
    const ids = new Set(Array.from({ length: 100 }, () => open(tunnels)));
    expect(ids.size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^n1[A-Za-z0-9]{22}$/);
    expect(tunnels.count).toBe(100);
    tunnels.destroy();
    expect(tunnels.count).toBe(0);
  });

  test.each(['a-b', '0123456789', 'ä'])('cannot be tagged %s', (nodeTag) => {
    expect(() => tunnelsWith({ nodeTag })).toThrow(UsageError);
  });

  test('get another id when the random source repeats itself', () => {
    let calls = 0;
    const random = (bytes: number): Buffer => Buffer.alloc(bytes, Math.floor(calls++ / 2));
    const tunnels = new Tunnels({}, { handler: () => {}, log: NO_LOG, clients: CLIENTS, random });
    expect(new Set([open(tunnels), open(tunnels), open(tunnels)]).size).toBe(3);
    tunnels.destroy();
  });

  test('leave nothing behind to wake up when they are gone', () => {
    const { tunnels, sleepers } = counting();
    for (let i = 0; i < 50; i++) {
      const id = open(tunnels);
      if (i % 2 === 0) send(tunnels, id, 0, 'hello').tunnel.destroy();
      else tunnels.receive(request(`/close/${id}`), PEER, ENGINE);
    }
    expect(tunnels.count).toBe(0);
    expect(sleepers()).toBe(0);
  });

  test('are as many as allowed, and not one more', () => {
    const tunnels = tunnelsWith({ maxSessions: 2 });
    open(tunnels);
    const id = open(tunnels);
    expect(tunnels.receive(request('/open/1'), PEER, ENGINE)).toMatchObject({ status: 503, persistent: false });
    expect(tunnels.receive(request(`/close/${id}`), PEER, ENGINE)).toMatchObject({ status: 200, body: '\0' });
    expect(tunnels.receive(request('/open/1'), PEER, ENGINE)).toMatchObject({ status: 200 });
    tunnels.destroy();
  });
});

describe('requests', () => {
  test('a body of the greatest length is taken, one byte more is not, and nothing happens to the session', () => {
    const tunnels = tunnelsWith();
    const id = open(tunnels);
    const length = TUNNEL_DEFAULTS.maxBodyBytes;
    const tooLong = request(`/send/${id}/0`, { length: length + 1 });
    expect(tunnels.receive(tooLong, PEER, ENGINE)).toMatchObject({ status: 413 });
    expect(tunnels.receive(request(`/send/${id}/0`, { length }), PEER, ENGINE)).toBeInstanceOf(Post);
    tunnels.destroy();
  });

  test.each([
    ['POST', '/fcs/ident2', 404, true],
    ['GET', '/fcs/ident2', 404, true],
    ['GET', '/open/1', 405, false],
    ['HEAD', '/idle/a/1', 405, false],
    ['POST', '/idle/a/1', 404, false],
    ['POST', '/idle/a', 400, false],
  ])('%s %s is answered with %d, connection kept: %s', (method, path, status, persistent) => {
    const tunnels = tunnelsWith();
    expect(tunnels.receive(request(path, { method }), PEER, ENGINE)).toEqual({ status, persistent, body: '' });
  });
});

describe('the log', () => {
  test('names a session by its peer, never by its id, and not at all above debug when nothing is wrong', () => {
    const { log, lines } = recordingLog();
    const tunnels = tunnelsWith({}, log);
    const id = open(tunnels);
    send(tunnels, id, 0, 'hello');
    tunnels.receive(request(`/close/${id}/1`), PEER, ENGINE);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['debug', 'a tunnel was opened'],
      ['debug', 'a tunnel ended'],
    ]);
    expect(lines[1]!.fields).toMatchObject({ address: '192.0.2.1', scheme: 'rtmpt', bytesIn: 5, bytesOut: 0 });
    expect(JSON.stringify(lines)).not.toContain(id);
    tunnels.destroy();
  });

  test('warns of an excess, and leaves any other fault of a used session to whoever spoke with it', () => {
    const { log, lines } = recordingLog();
    const tunnels = tunnelsWith({}, log);
    send(tunnels, open(tunnels), 0, 'hello').tunnel.destroy(new TransportError('TUNNEL_EXPIRED', 'no request came'));
    expect(lines.at(-1)).toMatchObject({ level: 'debug', fields: { code: 'TUNNEL_EXPIRED', bytesIn: 5 } });
    const id = open(tunnels);
    send(tunnels, id, 0, 'hello');
    send(tunnels, id, 99, 'far ahead');
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { code: 'TUNNEL_TOO_FAR_AHEAD' } });
    tunnels.destroy();
  });

  test('tells of sessions that were opened and never used, since nobody else does, but not of all of them', () => {
    const { log, lines } = recordingLog();
    const tunnels = tunnelsWith({}, log);
    for (let i = 0; i < 1000; i++) {
      const id = open(tunnels);
      const idle = tunnels.receive(request(`/idle/${id}/0`), PEER, ENGINE) as Post;
      idle.tunnel.destroy(new TransportError('TUNNEL_EXPIRED', 'no request came'));
    }
    const told = lines.filter(({ level }) => level !== 'debug');
    expect(told[0]).toMatchObject({
      level: 'info',
      fields: { address: '192.0.2.1', scheme: 'rtmpt', code: 'TUNNEL_EXPIRED' },
      message: 'a tunnel was opened and never used: no request came',
    });
    expect(told.length).toBeLessThan(10);
    tunnels.destroy();
  });

  test('warns of a chain of proxies that is too long, with its code', () => {
    const { log, lines } = recordingLog();
    const tunnels = tunnelsWith({}, log);
    const forwarded = () => ({ xForwardedFor: Array(33).fill('192.0.2.9').join(',') });
    expect(tunnels.receive(request('/open/1', { forwarded }), { ...PEER, trusted: true }, ENGINE)).toMatchObject({
      status: 400,
    });
    expect(lines).toMatchObject([{ level: 'warn', fields: { code: 'FORWARDED_TOO_LONG', address: '192.0.2.1' } }]);
  });

  test('does not fill with refused opens', () => {
    const { log, lines } = recordingLog();
    const tunnels = tunnelsWith({ maxSessions: 0 }, log);
    for (let i = 0; i < 1000; i++) tunnels.receive(request('/open/1'), PEER, ENGINE);
    expect(lines.length).toBeLessThan(10);
    expect(lines[0]!.level).toBe('warn');
  });
});

test('connections rest at least as long as sessions live', () => {
  expect(tunnelsWith().restMs).toBe(90_000);
  expect(tunnelsWith({ idleTimeoutMs: 85_000 }).restMs).toBe(90_000);
  expect(tunnelsWith({ idleTimeoutMs: 85_001 }).restMs).toBe(90_001);
});

describe('stopping', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('without sessions or connections resolves at once', async () => {
    await tunnelsWith().stop();
  });

  test('ends sessions that nobody has used at once, polled or not, and lets used ones live', () => {
    const tunnels = tunnelsWith();
    open(tunnels);
    tunnels.receive(request(`/idle/${open(tunnels)}/0`), PEER, ENGINE);
    const used = send(tunnels, open(tunnels), 0, 'hello').tunnel;
    tunnels.drain();
    expect(tunnels.count).toBe(1);
    expect(used.isLive).toBe(true);
    tunnels.destroy();
  });

  test('waits for a session that is polled, and 2 s after its last request for no longer', async () => {
    const tunnels = tunnelsWith();
    const id = open(tunnels);
    const { tunnel } = send(tunnels, id, 0, 'hello');
    await vi.advanceTimersByTimeAsync(10_000);
    tunnels.receive(request(`/idle/${id}/1`), PEER, ENGINE);
    const stopped = tunnels.stop();
    tunnel.end('the last words, which nobody fetches');
    await vi.advanceTimersByTimeAsync(1_900);
    tunnels.receive(request(`/idle/${id}/2`), PEER, ENGINE);
    await vi.advanceTimersByTimeAsync(1_900);
    expect(tunnels.count).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(tunnels.count).toBe(0);
    await stopped;
  });

  test('waits no longer for it than it would have been waited for anyway', async () => {
    const tunnels = tunnelsWith({ idleTimeoutMs: 1_000 });
    send(tunnels, open(tunnels), 0, 'hello');
    const stopped = tunnels.stop();
    await vi.advanceTimersByTimeAsync(900);
    expect(tunnels.count).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(tunnels.count).toBe(0);
    await stopped;
  });
});
