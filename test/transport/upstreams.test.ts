import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { poolRig } from '../support/pool-rig.ts';

beforeEach(
  () =>
    void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] }),
);
afterEach(() => void vi.useRealTimers());

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('who gets the next client', () => {
  it('least-connections: weights show in the counts, and what is freed is filled', async () => {
    const { dial, spread, byName } = poolRig({ a: 1, b: 2, c: 1 });
    for (let i = 0; i < 40; i++) await dial();
    expect(spread()).toEqual({ a: 10, b: 20, c: 10 });
    for (const stream of byName('a').streams.splice(0, 6)) stream.destroy();
    await pass(0);
    for (let i = 0; i < 6; i++) await dial();
    expect(spread()).toEqual({ a: 10, b: 20, c: 10 });
  });

  it('least-connections: those that connect at the same time are counted', async () => {
    const { dial, spread } = poolRig({ a: 1, b: 1 });
    await Promise.all(Array.from({ length: 10 }, dial));
    expect(spread()).toEqual({ a: 5, b: 5 });
  });

  it('least-connections: a pool at rest takes turns', async () => {
    const { dial, servers } = poolRig({ a: 1, b: 1, c: 1 });
    for (let i = 0; i < 9; i++) {
      const stream = await dial();
      stream.destroy();
      await pass(0);
    }
    expect(servers.map(({ dials }) => dials)).toEqual([3, 3, 3]);
  });

  it('first-available: the first, as long as it can be reached', async () => {
    const { dial, spread, byName } = poolRig({ a: 1, b: 1 }, { balance: 'first-available' });
    await dial();
    await dial();
    byName('a').behaviour = 'refuses';
    await dial();
    await dial();
    expect(spread()).toEqual({ a: 2, b: 2 });
    expect(byName('a').dials).toBe(3);
  });

  it('hash: one key, one server; another when that one is down, and back to it', async () => {
    const { pool, servers } = poolRig({ a: 1, b: 1, c: 1 });
    const dial = (): Promise<unknown> => pool.dialFor('live/test')(new AbortController().signal);
    pool.start();
    await pass(0);
    for (let i = 0; i < 5; i++) await dial();
    const home = servers.find(({ dials }) => dials === 6)!;
    expect(home).toBeDefined();
    home.behaviour = 'refuses';
    await dial();
    await dial();
    const [away, ...more] = servers.filter((server) => server !== home && server.dials > 1);
    expect(more).toEqual([]);
    expect(away!.dials).toBe(3);
    home.behaviour = 'answers';
    await pass(2_000);
    const before = home.dials;
    await dial();
    expect(home.dials).toBe(before + 1);
    pool.stop();
  });
});

describe('a server that fails', () => {
  it('is passed over without its client noticing, and not tried again by the next ones', async () => {
    const { dial, spread, byName, told } = poolRig({ a: 1, b: 1 });
    byName('a').behaviour = 'refuses';
    for (let i = 0; i < 10; i++) await dial();
    expect(spread()).toEqual({ a: 0, b: 10 });
    expect(byName('a').dials).toBe(1);
    expect(told()).toEqual(['upstream a is down: connection refused; trying again in 1 s']);
  });

  it('that swallows connects costs one client a part of the connect time-out, and the others nothing', async () => {
    const { dial, byName, spread } = poolRig({ a: 1, b: 1, c: 1 }, { connectTimeoutMs: 6_000 });
    byName('a').behaviour = 'never answers';
    const first = dial();
    await pass(1_999);
    expect(spread()).toEqual({ a: 0, b: 0, c: 0 });
    await pass(1);
    await first;
    await dial();
    expect(spread()).toEqual({ a: 0, b: 1, c: 1 });
  });

  it('is asked again after 1 s, 2 s, 4 s and so on to 30 s, and is back when it answers', async () => {
    const { pool, dial, byName, told } = poolRig({ a: 1, b: 1 });
    const a = byName('a');
    a.behaviour = 'refuses';
    await dial();
    const asked: number[] = [];
    for (let second = 0; second < 95; second++) {
      const before = a.dials;
      await pass(1_000);
      if (a.dials > before) asked.push(second + 1);
    }
    expect(asked).toEqual([1, 3, 7, 15, 31, 61, 91]);
    a.behaviour = 'answers';
    await pass(30_000);
    expect(told().at(-1)).toBe('upstream a is back after 121 s');
    expect(pool.counts()[0]).toMatchObject({ name: 'a', isUp: true });
    pool.stop();
  });

  it('is back with the first client that reaches it, if there is no other', async () => {
    const { pool, dial, byName, told } = poolRig({ a: 1 });
    byName('a').behaviour = 'refuses';
    await expect(dial()).rejects.toMatchObject({ code: 'NO_UPSTREAM' });
    await expect(dial()).rejects.toMatchObject({ code: 'NO_UPSTREAM' });
    expect(pool.isAvailable).toBe(true);
    byName('a').behaviour = 'answers';
    await dial();
    expect(told()).toEqual([
      'upstream a is down: connection refused; trying again in 1 s',
      'upstream a is back after 1 s',
    ]);
    pool.stop();
  });

  it('that accepts connections and does not speak RTMP is not tried by anybody until it does', async () => {
    const { pool, dial, byName, told } = poolRig({ a: 1 });
    byName('a').behaviour = 'hangs';
    pool.start();
    await pass(5_000);
    expect(told()).toEqual(['upstream a is down: no answer; trying again in 1 s']);
    expect(pool.isAvailable).toBe(false);
    await expect(dial()).rejects.toMatchObject({ code: 'NO_UPSTREAM' });
    byName('a').behaviour = 'answers';
    await pass(1_000);
    await dial();
    pool.stop();
  });

  it('is no reason to fail a client that has left', async () => {
    const { pool, byName, told } = poolRig({ a: 1, b: 1 });
    byName('a').behaviour = 'never answers';
    const abort = new AbortController();
    const dialling = pool.dial(abort.signal);
    abort.abort(new Error('left'));
    await expect(dialling).rejects.toThrow('left');
    expect(told()).toEqual([]);
    expect(pool.counts().every(({ isUp }) => isUp)).toBe(true);
  });
});

describe('asking servers whether they live', () => {
  it('begins at the start, and says at once who is down', async () => {
    const { pool, byName, told } = poolRig({ a: 1, b: 1 });
    byName('b').behaviour = 'refuses';
    pool.start();
    await pass(0);
    expect(byName('a').probes).toBe(1);
    expect(told()).toEqual(['upstream b is down: connection refused; trying again in 1 s']);
    pool.stop();
  });

  it('goes on every 10 s, but not while clients hear of them', async () => {
    const { pool, dial, byName } = poolRig({ a: 1 });
    const a = byName('a');
    pool.start();
    await pass(20_000);
    expect(a.probes).toBe(3);
    const stream = (await dial()) as unknown as { bytesRead: number };
    stream.bytesRead = 0;
    for (let i = 0; i < 5; i++) {
      stream.bytesRead += 100;
      await pass(10_000);
    }
    expect(a.probes).toBe(3);
    await pass(10_000);
    expect(a.probes).toBe(4);
    pool.stop();
  });

  it('happens soon after a connection on which the server never said a word', async () => {
    const { pool, dial, byName, told } = poolRig({ a: 1 });
    const a = byName('a');
    pool.start();
    await pass(3_000);
    const stream = (await dial()) as unknown as { bytesRead: number; destroy(): void };
    a.behaviour = 'hangs';
    stream.bytesRead = 0;
    stream.destroy();
    await pass(5_001);
    expect(a.probes).toBe(2);
    expect(told()).toEqual(['upstream a is down: no answer; trying again in 1 s']);
    pool.stop();
  });

  it('is not brought about more often than every 2 s by clients', async () => {
    const { pool, dial, byName } = poolRig({ a: 1 });
    pool.start();
    for (let i = 0; i < 40; i++) {
      const stream = (await dial()) as unknown as { bytesRead: number; destroy(): void };
      stream.bytesRead = 0;
      stream.destroy();
      await pass(100);
    }
    expect(byName('a').probes).toBeLessThanOrEqual(3);
    pool.stop();
  });

  it('leaves no timer and no connection behind when it stops', async () => {
    const { pool, servers, byName } = poolRig({ a: 1, b: 1, c: 1 });
    byName('b').behaviour = 'hangs';
    byName('c').behaviour = 'refuses';
    pool.start();
    await pass(100);
    pool.stop();
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(servers.flatMap(({ streams }) => streams).every(({ destroyed }) => destroyed)).toBe(true);
  });
});
