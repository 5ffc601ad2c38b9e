import { describe, expect, test } from 'vitest';
import { formatPost } from '../../support/http-probe.ts';
import { C0C1, C2, S0S1S2, echo, greeter, text, rigs } from '../../support/tunnel-cores.ts';
import { ENGINES } from '../../support/tunnel-rig.ts';

/**
 * The tunnel as its clients expect it, over both HTTP engines. Numbers are those of the list of checks that the
 * tunnel was designed against; behaviours named after a client were measured with that client.
 */

describe.each(ENGINES)('a tunnel behind the %s', (engine) => {
  const start = rigs({ engine });

  // Basics ----------------------------------------------------------------------------------------------------------

  test('check 1: /fcs/ident2 is answered with an empty 404, and the connection serves the next request', async () => {
    const rig = await start();
    const probe = await rig.connect();
    const answer = await probe.post('/fcs/ident2');
    expect(answer).toMatchObject({ status: 404, body: Buffer.alloc(0) });
    expect(answer.head).toContain('Connection: Keep-Alive');
    expect((await probe.post('/open/1')).status).toBe(200);
  });

  test('check 1: with the setting on, /fcs/ident2 is answered with an empty 200; GET is allowed for it', async () => {
    const rig = await start({ tunnel: { ident2: 200 } });
    const probe = await rig.connect();
    expect(await probe.post('/fcs/ident2')).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    probe.write('GET /fcs/ident2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await probe.answer()).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await probe.post('/fcs/ident')).toMatchObject({ status: 404, body: Buffer.alloc(0) });
  });

  test('check 2: open is answered with an id and one line feed, without an interval byte', async () => {
    const rig = await start();
    const probe = await rig.connect();
    expect(text(await probe.post('/open/1'))).toMatch(/^[A-Za-z0-9]{22,31}\n$/);
  });

  test('check 3: C0C1 is answered with one interval byte and the whole S0S1S2', async () => {
    const rig = await start({ core: greeter });
    const { probe, id } = await rig.open();
    const { body } = await probe.post(`/send/${id}/0`, C0C1);
    expect(body).toEqual(Buffer.concat([Buffer.of(1), S0S1S2]));
  });

  test('check 3: a core that never answers C0C1 lets the client go after the handshake hold', async () => {
    const rig = await start({ tunnel: { handshakeHoldMs: 50 } });
    const { probe, id } = await rig.open();
    const began = performance.now();
    expect(text(await probe.post(`/send/${id}/0`, C0C1))).toBe('\x01');
    expect(performance.now() - began).toBeGreaterThan(45);
  });

  test('check 4: the handshake completes when C0C1 comes in pieces of 1, 700 and 836 bytes', async () => {
    const rig = await start({ core: greeter });
    const { probe, id } = await rig.open();
    expect(text(await probe.post(`/send/${id}/0`, C0C1.subarray(0, 1)))).toBe('\x01');
    expect(text(await probe.post(`/send/${id}/1`, C0C1.subarray(1, 701)))).toBe('\x01');
    const { body } = await probe.post(`/send/${id}/2`, C0C1.subarray(701));
    expect(body.subarray(1)).toEqual(S0S1S2);
  });

  test('check 5: C2 and connect in one POST, or pipelined in two, bring the result with the last answer', async () => {
    const rig = await start({ core: greeter });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, C0C1);
    expect(text(await probe.post(`/send/${id}/1`, Buffer.concat([C2, Buffer.from('connect')])))).toBe(
      '\x01_result connect',
    );
    const second = await rig.open();
    await second.probe.post(`/send/${second.id}/0`, C0C1);
    second.probe.write(formatPost(`/send/${second.id}/1`, C2), formatPost(`/send/${second.id}/2`, 'connect'));
    expect(text(await second.probe.answer())).toBe('\x01');
    expect(text(await second.probe.answer())).toBe('\x01_result connect');
  });

  test('check 6: an idle is answered at once with everything that waits', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const core = await rig.core();
    core.stream.write('one ');
    core.stream.write('two ');
    core.stream.write('three');
    expect(text(await probe.post(`/idle/${id}/1`))).toBe('\x01one two three');
  });

  test('check 6: an idle without data is held for the configured time, then answered with exactly one byte', async () => {
    const rig = await start({ tunnel: { holdMs: 60 } });
    const { probe, id } = await rig.open();
    const began = performance.now();
    expect(text(await probe.post(`/idle/${id}/0`))).toBe('\x01');
    expect(performance.now() - began).toBeGreaterThan(55);
  });

  test('check 7: data that arrives while an idle is held is with the client within 10 ms', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const core = await rig.core();
    const delays: number[] = [];
    for (let number = 1; number <= 8; number++) {
      probe.send(`/idle/${id}/${number}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const began = performance.now();
      core.stream.write('frame');
      expect(text(await probe.answer())).toBe('\x01frame');
      delays.push(performance.now() - began);
    }
    // A machine that does other things may be late now and then, but not every time.
    expect(Math.min(...delays)).toBeLessThan(10);
  });

  test('check 8: a send releases an idle that is held on another connection, and is answered itself', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 }, core: echo });
    const { probe, id } = await rig.open();
    probe.send(`/idle/${id}/0`);
    const other = await rig.connect();
    expect(text(await other.post(`/send/${id}/1`, 'ping'))).toBe('\x01ping');
    expect(text(await probe.answer())).toBe('\x01');
  });

  test.each(['/close/ID/1', '/close/ID'])(
    'check 9: %s is answered with one zero byte and ends the core',
    async (form) => {
      const rig = await start();
      const { probe, id } = await rig.open();
      await probe.post(`/send/${id}/0`, 'last words');
      const core = await rig.core();
      expect(await probe.post(form.replace('ID', id))).toMatchObject({ status: 200, body: Buffer.of(0) });
      await core.until(({ hasEnded }) => hasEnded);
      expect(core.text).toBe('last words');
      expect(rig.tunnels.count).toBe(0);
      expect((await probe.post(`/idle/${id}/2`)).status).toBe(404);
      await probe.ended();
    },
  );

  test('check 9: close may come over a connection of its own, and with an empty body', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const other = await rig.connect();
    expect(text(await other.post(`/close/${id}/1`, ''))).toBe('\0');
    await (await rig.core()).until(({ hasEnded }) => hasEnded);
  });

  test('check 10: what the core said before it ended is still delivered, and only then comes 404', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const core = await rig.core();
    core.stream.end('rejected: no such app');
    expect(text(await probe.post(`/idle/${id}/1`))).toBe('\x01rejected: no such app');
    expect((await probe.post(`/idle/${id}/2`)).status).toBe(404);
    await core.until(({ isClosed }) => isClosed);
    expect(rig.tunnels.count).toBe(0);
  });

  test('check 10: the answer that carried the last words is given again when its number is repeated', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    (await rig.core()).stream.end('rejected');
    const answer = await probe.post(`/idle/${id}/1`);
    expect(text(answer)).toBe('\x01rejected');
    expect(await (await rig.connect()).post(`/idle/${id}/1`)).toEqual(answer);
  });

  test('check 10: an idle that is held while the core ends without a word gets 404 at once', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    probe.send(`/idle/${id}/1`);
    const core = await rig.core();
    setTimeout(() => core.stream.end(), 5);
    expect((await probe.answer()).status).toBe(404);
  });
});
