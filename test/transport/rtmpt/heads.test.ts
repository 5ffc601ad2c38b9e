import { describe, expect, test } from 'vitest';
import { echo, text, rigs } from '../../support/tunnel-cores.ts';
import { ENGINES } from '../../support/tunnel-rig.ts';

/**
 * The tunnel as HTTP and its proxies see it, over both HTTP engines. Numbers are those of the list of checks that the
 * tunnel was designed against; behaviours named after a client were measured with that client.
 */

describe.each(ENGINES)('a tunnel behind the %s', (engine) => {
  const start = rigs({ engine });

  // Heads and connections -------------------------------------------------------------------------------------------

  test('every 200 has exactly these fields, in this order', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    const { head } = await probe.post(`/send/${id}/0`, 'hi');
    expect(`${head}\r\n\r\n`.length).toBeLessThan(200);
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'Content-Type: application/x-fcs',
      'Connection: Keep-Alive',
      'Cache-Control: no-store, no-transform',
      'X-Accel-Buffering: no',
      'Content-Length: 3',
    ]);
  });

  test('a refusal has no body, closes the connection, and is as short', async () => {
    const rig = await start();
    const probe = await rig.connect();
    const { head } = await probe.post('/idle/nobody/0');
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 404 Not Found',
      'Content-Type: application/x-fcs',
      'Connection: close',
      'Cache-Control: no-store, no-transform',
      'X-Accel-Buffering: no',
      'Content-Length: 0',
    ]);
    await probe.ended();
  });

  test.each([
    ['HTTP/1.1', 'Connection: Keep-Alive', true],
    ['HTTP/1.1', 'X-Nothing: said', true],
    ['HTTP/1.1', 'Connection: close', false],
    ['HTTP/1.1', 'Connection: TE, Close', false],
    ['HTTP/1.0', 'X-Nothing: said', false],
    ['HTTP/1.0', 'Connection: keep-alive', true],
  ])('%s with "%s" is answered with HTTP/1.1 200, and kept open: %s', async (version, field, isKept) => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    probe.write(`POST /send/${id}/0 ${version}\r\n${field}\r\nContent-Length: 2\r\n\r\nhi`);
    const answer = await probe.answer();
    expect(answer.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.head).toContain(`Connection: ${isKept ? 'Keep-Alive' : 'close'}\r\n`);
    if (isKept) expect(text(await probe.post(`/send/${id}/1`, 'yo'))).toBe('\x01yo');
    else await probe.ended();
  });

  test('a session may use a new connection for every request (Squid, nginx with its defaults)', async () => {
    const rig = await start({ core: echo });
    const { id } = await rig.open();
    for (let number = 0; number < 40; number++) {
      const probe = await rig.connect();
      probe.write(`POST /send/${id}/${number} HTTP/1.0\r\nContent-Length: 2\r\n\r\n${10 + number}`);
      expect(text(await probe.answer())).toBe(`\x01${10 + number}`);
      await probe.ended();
    }
  });

  test('a chunked body reaches the core whole, and only once when it is repeated', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    if (engine === 'own engine') {
      probe.write(`POST /send/${id}/0 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`);
      expect((await probe.answer()).status).toBe(418);
      expect(rig.handedOver[0]!.toString('latin1')).toMatch(/^POST .*2\r\nhi\r\n0\r\n\r\n$/s);
      return;
    }
    const post = `POST /send/${id}/0 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n`;
    probe.write(post);
    const answer = await probe.answer();
    expect(text(answer)).toBe('\x01hi!');
    probe.write(post);
    expect(await probe.answer()).toEqual(answer);
    expect((await rig.core()).text).toBe('hi!');
  });

  test('a send with an empty body counts as an idle', async () => {
    const rig = await start({ tunnel: { holdMs: 30 } });
    const { probe, id } = await rig.open();
    expect(text(await probe.post(`/send/${id}/0`, ''))).toBe('\x01');
    expect(text(await probe.post(`/idle/${id}/1`, ''))).toBe('\x01');
    expect(rig.cores).toHaveLength(0);
  });

  test('while it drains, open gets 503, sessions in use go on, and unused ones are gone', async () => {
    const rig = await start({ core: echo });
    const unused = await rig.open();
    const { probe, id } = await rig.open();
    expect(text(await probe.post(`/send/${id}/0`, 'in use'))).toBe('\x01in use');
    rig.tunnels.drain();
    expect((await (await rig.connect()).post('/open/1')).status).toBe(503);
    expect((await unused.probe.post(`/send/${unused.id}/0`, 'late')).status).toBe(404);
    expect(text(await probe.post(`/send/${id}/1`, 'on'))).toBe('\x01on');
  });

  test('a request that is too far ahead ends the session', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    expect((await probe.post(`/idle/${id}/18`)).status).toBe(404);
    expect(rig.tunnels.count).toBe(0);
  });

  test('when the memory for all tunnels is used up, old answers go first, then opens and parking are refused', async () => {
    const rig = await start({ tunnel: { maxMemoryBytes: 100_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const core = await rig.core();
    core.stream.write(Buffer.alloc(60_000));
    expect((await probe.post(`/idle/${id}/1`)).body.length).toBeGreaterThan(59_000);
    expect(rig.tunnels.memory.bytes).toBeGreaterThan(59_000);
    core.stream.write(Buffer.alloc(99_999));
    expect(rig.tunnels.memory.bytes).toBeLessThanOrEqual(100_001);
    // The remembered answer is gone: a repeat is bare.
    expect(text(await (await rig.connect()).post(`/idle/${id}/1`))).toBe('\x01');
    core.stream.write(Buffer.alloc(10));
    expect((await (await rig.connect()).post('/open/1')).status).toBe(503);
    expect((await (await rig.connect()).post(`/send/${id}/3`, 'parked')).status).toBe(503);
    expect((await probe.post(`/idle/${id}/2`)).body.length).toBeGreaterThan(99_000);
  });
});
