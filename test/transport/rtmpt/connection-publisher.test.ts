import { describe, expect, test } from 'vitest';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatPost, type HttpProbe } from '../../support/http-probe.ts';
import { turns, rigs } from '../../support/tunnel-cores.ts';
import type { TunnelRig } from '../../support/tunnel-rig.ts';

const start = rigs();

describe('a publisher that never reads', () => {
  const POSTS = 50_000;

  /** Writes `count` numbered sends as fast as they are taken, each saying its number in 8 digits. */
  async function publish(probe: HttpProbe, id: string, first: number, count: number): Promise<void> {
    for (let number = first; number < first + count; number += 500) {
      const batch = Array.from({ length: 500 }, (_, i) =>
        formatPost(`/send/${id}/${number + i}`, String(number + i).padStart(8, '0')),
      );
      if (!probe.socket.write(Buffer.concat(batch)))
        await new Promise((resolve) => probe.socket.once('drain', resolve));
    }
  }

  /** A session whose connection is full up to the brim: megabytes of payload that nobody takes. */
  async function openBlocked(rig: TunnelRig): Promise<{ probe: HttpProbe; id: string; next: number }> {
    const { id } = await rig.open();
    const probe = await rig.connect({ paused: true });
    probe.send(`/send/${id}/0`, 'x');
    const { stream } = await rig.core();
    stream.write(Buffer.alloc(12 * 1024 * 1024));
    for (let number = 1; number <= 16; number++) {
      probe.send(`/idle/${id}/${number}`);
      await turns(20);
    }
    const socket = rig.sockets.at(-1)!;
    await expect.poll(() => socket.writableLength).toBeGreaterThan(0);
    return { probe, id, next: 17 };
  }

  const heard = (count: number): number => 1 + count * 8;

  test('check 12: 50,000 pipelined sends, none of whose answers is read, all reach the core in little memory', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const rig = await start();
    const { probe, id, next } = await openBlocked(rig);
    const core = await rig.core();
    core.stream.removeAllListeners('data');
    let bytes = 0;
    core.stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await publish(probe, id, next, 500);
    await expect.poll(() => bytes).toBe(500 * 8);
    const socket = rig.sockets.at(-1)!;
    const unsent = socket.writableLength;
    collect();
    const before = process.memoryUsage().heapUsed;
    await publish(probe, id, next + 500, POSTS - 500);
    await expect.poll(() => bytes, { timeout: 10_000 }).toBe(POSTS * 8);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(1024 * 1024);
    // Not one answer was made that the socket did not take.
    expect(socket.writableLength).toBe(unsent);
    expect(rig.tunnels.count).toBe(1);
  });

  test('check 13: when it begins to read after all, it gets exactly as many well-formed answers, in order', async () => {
    const rig = await start();
    const { probe, id, next } = await openBlocked(rig);
    const core = await rig.core();
    await publish(probe, id, next, POSTS);
    await core.until(({ bytes }) => bytes >= heard(POSTS));
    core.stream.write('the end');
    probe.read();
    const bodies: Buffer[] = [];
    for (let i = 0; i < next + POSTS; i++) bodies.push((await probe.answer()).body);
    expect(bodies.every((body) => body[0] === 1)).toBe(true);
    expect(probe.answers).toHaveLength(0);
    // What an answer has no room for comes with the next.
    const wanted = 12 * 1024 * 1024 + 'the end'.length;
    let total = bodies.reduce((sum, body) => sum + body.length - 1, 0);
    for (let number = next + POSTS; total < wanted; number++)
      total += (await probe.post(`/idle/${id}/${number}`)).body.length - 1;
    expect(total).toBe(wanted);
  });

  test('check 14: a reset right behind /close, with all answers unread, loses nothing of what was sent', async () => {
    for (let round = 0; round < 10; round++) {
      const rig = await start();
      const { id } = await rig.open();
      const probe = await rig.connect({ paused: true });
      // As much as surely is in the server's receive buffer: a reset throws away what has not been sent yet.
      const count = 200;
      const posts = Array.from({ length: count }, (_, number) => formatPost(`/send/${id}/${number}`, 'x'));
      const all = Buffer.concat([...posts, formatPost(`/close/${id}/${count}`)]);
      await new Promise<void>((resolve) => probe.socket.write(all, () => resolve()));
      probe.socket.resetAndDestroy();
      const core = await rig.core();
      await core.until(({ hasEnded }) => hasEnded);
      expect(core.bytes).toBe(count);
      expect(rig.tunnels.count).toBe(0);
    }
  });

  test('/close behind unread answers is answered, and so is every send before it, however late they are read', async () => {
    const rig = await start();
    const { probe, id, next } = await openBlocked(rig);
    const core = await rig.core();
    await publish(probe, id, next, 500);
    const close = formatPost(`/close/${id}/${next + 500}`);
    await new Promise<void>((resolve) => probe.socket.write(close, () => resolve()));
    await core.until(({ hasEnded }) => hasEnded);
    core.stream.destroy();
    await expect.poll(() => rig.tunnels.count).toBe(0);
    probe.read();
    const answers = [];
    for (let i = 0; i <= next + 500; i++) answers.push(await probe.answer());
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(answers.at(-1)!.body).toEqual(Buffer.of(0));
  });

  test('its session ends with it: the next send gets a 404 that it does not read, and the connection closes', async () => {
    const rig = await start({ tunnel: { lingerMs: 50 } });
    const { probe, id, next } = await openBlocked(rig);
    const core = await rig.core();
    core.stream.destroy();
    void publish(probe, id, next, 500);
    await expect.poll(() => rig.sockets.at(-1)!.destroyed).toBe(true);
  });
});
