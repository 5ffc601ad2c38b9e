import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatPost } from '../../support/http-probe.ts';
import { echo, text, turns, rigs } from '../../support/tunnel-cores.ts';

const start = rigs();

afterEach(() => {
  vi.useRealTimers();
});

describe('holding a connection', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });

  test('check 23: a connection may rest for 60 s between requests when the session may', async () => {
    const rig = await start({ tunnel: { idleTimeoutMs: 90_000 }, core: echo });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    await vi.advanceTimersByTimeAsync(60_000);
    await turns(3);
    expect(text(await probe.post(`/send/${id}/1`, 'y'))).toBe('\x01y');
    await vi.advanceTimersByTimeAsync(89_000);
    await turns(3);
    expect(text(await probe.post(`/send/${id}/2`, 'z'))).toBe('\x01z');
  });

  test('a connection rests for 90 s at least, and is then closed politely', async () => {
    const rig = await start();
    const probe = await rig.connect();
    await probe.post('/fcs/ident2');
    await vi.advanceTimersByTimeAsync(89_900);
    await turns(3);
    expect(probe.isEnded).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await probe.ended();
    expect(rig.tunnels.restMs).toBe(90_000);
  });

  test('check 30: a head that takes longer than 10 s is answered with 408', async () => {
    const rig = await start();
    const probe = await rig.connect();
    const bystander = await rig.open();
    for (const byte of 'POST /open') {
      probe.write(byte);
      await turns(3);
      await vi.advanceTimersByTimeAsync(990);
    }
    expect(probe.answers).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect((await probe.answer()).status).toBe(408);
    await probe.ended();
    expect((await bystander.probe.post(`/close/${bystander.id}/0`)).status).toBe(200);
  });

  test('check 30: a client that says nothing at all is let go after 10 s', async () => {
    const rig = await start();
    const probe = await rig.connect();
    await turns(5);
    await vi.advanceTimersByTimeAsync(10_100);
    expect((await probe.answer()).status).toBe(408);
    await probe.ended();
  });

  test('check 37: only 10 s without a byte of the body end a connection, not a slow body', async () => {
    const rig = await start({ tunnel: { idleTimeoutMs: 60_000 } });
    const { probe, id } = await rig.open();
    probe.write(formatPost(`/send/${id}/0`, 'abcdef').subarray(0, -6));
    for (const byte of 'abcde') {
      probe.write(byte);
      await turns(3);
      await vi.advanceTimersByTimeAsync(9_000);
    }
    expect(probe.answers).toHaveLength(0);
    await (await rig.core()).hears('abcde');
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await probe.answer()).status).toBe(408);
    expect(rig.tunnels.count).toBe(1);
  });

  test('a refused client that does not close is cut off after 2 s', async () => {
    const rig = await start();
    const probe = await rig.connect();
    expect((await probe.post('/idle/nobody/0')).status).toBe(404);
    await probe.ended();
    expect(probe.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(2_100);
    expect(rig.sockets[0]!.destroyed).toBe(true);
  });
});
