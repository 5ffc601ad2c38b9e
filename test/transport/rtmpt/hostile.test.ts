import { describe, expect, test } from 'vitest';
import type { Duplex } from 'node:stream';
import { TransportError } from '../../../src/errors.ts';
import { formatPost, type HttpProbe } from '../../support/http-probe.ts';
import { seeded } from '../../support/random.ts';
import { C0C1, echo, greeter, text, rigs } from '../../support/tunnel-cores.ts';
import { ENGINES, type TunnelRig } from '../../support/tunnel-rig.ts';

/**
 * The tunnel as hostile strangers see it, over both HTTP engines. Numbers are those of the list of checks that the
 * tunnel was designed against; behaviours named after a client were measured with that client.
 */

describe.each(ENGINES)('a tunnel behind the %s', (engine) => {
  const start = rigs({ engine });

  // Hostile input ---------------------------------------------------------------------------------------------------

  test('check 30: a head of more than 16 KiB is refused with 431', async () => {
    const rig = await start();
    const probe = await rig.connect();
    probe.write(`POST /open/1 HTTP/1.1\r\nX-Filler: ${'a'.repeat(17 * 1024)}\r\n\r\n`);
    expect((await probe.answer()).status).toBe(431);
    await probe.ended();
  });

  test.each([
    ['no length', ['POST /send/ID/0 HTTP/1.1', 'Host: a'], 411],
    ['a negative length', ['POST /send/ID/0 HTTP/1.1', 'Host: a', 'Content-Length: -1'], 400],
    ['two lengths', ['POST /send/ID/0 HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2'], 400],
    ['a list of lengths', ['POST /send/ID/0 HTTP/1.1', 'Host: a', 'Content-Length: 1, 1'], 400],
    [
      'a length and chunks',
      ['POST /send/ID/0 HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked'],
      400,
    ],
    ['a length beyond the limit', ['POST /send/ID/0 HTTP/1.1', 'Host: a', 'Content-Length: 1001'], 413],
    ['a space before the colon', ['POST /send/ID/0 HTTP/1.1', 'Host: a', 'Content-Length : 1'], 400],
  ])('check 31: a request with %s is refused, and closes the connection', async (_, lines, status) => {
    const rig = await start({ tunnel: { maxBodyBytes: 1000, lingerMs: 50 } });
    const { probe, id } = await rig.open();
    probe.write(`${lines.join('\r\n').replace('ID', id)}\r\n\r\n`);
    const answer = await probe.answer();
    expect(answer.status).toBe(status);
    await probe.ended();
    expect(rig.cores).toHaveLength(0);
    // Session and number live on.
    expect((await (await rig.connect()).post(`/send/${id}/0`, 'x'.repeat(1000))).status).toBe(200);
    expect((await rig.core()).bytes).toBe(1000);
  });

  test.each([
    ['GET /open/1', 405],
    ['PUT /send/ID/0', 405],
    ['GET /idle/ID/0', 405],
    ['POST /send//0', 400],
    ['POST /send/ID', 400],
    ['POST /send/ID/', 400],
    ['POST /send/ID/abc', 400],
    ['POST /send/ID/-1', 400],
    ['POST /send/ID/0x1', 400],
    [`POST /send/ID/${'9'.repeat(400)}`, 400],
    ['POST /send/ID%00/0', 404],
    ['POST /send/../0', 404],
    ['POST /idle/%2e%2e%2f/0', 404],
    [`POST /idle/${'A'.repeat(4096)}/0`, 404],
    ['POST /close/2', 404],
    ['POST /send/__proto__/0', 404],
    ['POST /close/', 400],
  ])('check 32: %s is refused with a length, and reaches no core', async (line, status) => {
    const rig = await start();
    const { probe, id } = await rig.open();
    probe.write(`${line.replace('ID', id)} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`);
    expect(await probe.answer()).toMatchObject({ status, body: Buffer.alloc(0) });
    await probe.ended();
    expect(rig.cores).toHaveLength(0);
  });

  test('check 33: opens beyond the limit get 503, living sessions do not notice, and unused ids expire', async () => {
    const rig = await start({ tunnel: { maxSessions: 3, idleTimeoutMs: 300 }, core: echo });
    const { probe, id } = await rig.open();
    await rig.open();
    await rig.open();
    const late = await rig.connect();
    const refused = await late.post('/open/1');
    expect(refused).toMatchObject({ status: 503, body: Buffer.alloc(0) });
    expect(refused.head).toContain('Retry-After: ');
    await late.ended();
    expect(text(await probe.post(`/send/${id}/0`, 'alive'))).toBe('\x01alive');
    // No core was reached by the two others: an unused id costs nothing there.
    expect(rig.cores).toHaveLength(1);
    await expect.poll(() => rig.tunnels.count).toBe(0);
    expect((await (await rig.connect()).post('/open/1')).status).toBe(200);
  });

  test('check 33: opens beyond the limit of an address get 503', async () => {
    const taken: string[] = [];
    const clients = {
      acquire: (address: string) => (taken.length === 2 ? undefined : (taken.push(address), () => {})),
    };
    const rig = await start({ clients });
    await rig.open();
    await rig.open();
    expect((await (await rig.connect()).post('/open/1')).status).toBe(503);
    expect(taken).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  test('check 35: two closes at once and a send to a session that is being closed leave nothing behind', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const [second, third] = [await rig.connect(), await rig.connect()];
    const statuses = await Promise.all([
      probe.post(`/close/${id}/1`),
      second.post(`/close/${id}/1`),
      third.post(`/send/${id}/2`, 'y'),
    ]);
    const closes = statuses.slice(0, 2).map(({ status }) => status);
    expect(closes.sort((a, b) => a - b)).toEqual([200, 404]);
    const core = await rig.core();
    core.stream.end();
    await core.until(({ isClosed }) => isClosed);
    expect(rig.tunnels.count).toBe(0);
  });

  test('check 36: output to a player that takes none is bounded, the core has to wait, and the session expires', async () => {
    const rig = await start({ tunnel: { maxOutputBytes: 100_000, idleTimeoutMs: 100 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const core = await rig.core();
    let written = 0;
    while (core.stream.write(Buffer.alloc(10_000))) written += 10_000;
    expect(written).toBeLessThan(300_000);
    await core.until(({ isClosed }) => isClosed);
    expect(rig.tunnels.count).toBe(0);
    expect(rig.tunnels.memory.bytes).toBe(0);
  });

  test('check 36: a core that is slow slows its client down, and loses nothing', async () => {
    const rig = await start({ core: (stream) => void stream.pause(), tunnel: { handshakeHoldMs: 20 } });
    const { probe, id } = await rig.open();
    const body = seeded(36).bytes(8 * 1024 * 1024);
    let isWritten = false;
    probe.socket.write(formatPost(`/send/${id}/0`, body), () => (isWritten = true));
    const core = await rig.core();
    core.stream.pause();
    await expect.poll(() => core.stream.readableLength).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(core.stream.readableLength).toBeLessThan(512 * 1024);
    expect(isWritten).toBe(false);
    core.stream.resume();
    await core.until(({ bytes }) => bytes === body.length);
    expect(Buffer.concat(core.heard).equals(body)).toBe(true);
    expect(text(await probe.answer())).toBe('\x01');
  });

  test('check 37: a body that stalls costs its connection; the same number elsewhere completes it, each byte once', async () => {
    const rig = await start({ tunnel: { bodyTimeoutMs: 60, lingerMs: 50 }, core: echo });
    const { probe, id } = await rig.open();
    const post = formatPost(`/send/${id}/0`, '0123456789');
    probe.write(post.subarray(0, -6));
    await (await rig.core()).hears('0123');
    expect((await probe.answer()).status).toBe(408);
    await probe.ended();
    const other = await rig.connect();
    const { body } = await other.post(`/send/${id}/0`, '0123456789');
    expect(body.toString()).toBe('\x010123456789');
    expect((await rig.core()).text).toBe('0123456789');
  });

  test('check 37: a body that broke off and does not come again ends the session once others wait', async () => {
    const rig = await start({ tunnel: { gapTimeoutMs: 60 } });
    const { probe, id } = await rig.open();
    probe.write(formatPost(`/send/${id}/0`, '0123456789').subarray(0, -6));
    const core = await rig.core();
    await core.hears('0123');
    probe.destroy();
    const other = await rig.connect();
    expect((await other.post(`/send/${id}/1`, 'next')).status).toBe(404);
    await core.until(({ isClosed }) => isClosed);
    expect(core.text).toBe('0123');
  });

  test('check 37: a repeat with another length ends the session', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    probe.write(formatPost(`/send/${id}/0`, '0123456789').subarray(0, -6));
    await (await rig.core()).hears('0123');
    probe.destroy();
    expect((await (await rig.connect()).post(`/send/${id}/0`, '012345678')).status).toBe(404);
  });

  test('check 38: nothing of the request shows in the head of an answer', async () => {
    const rig = await start();
    const probe = await rig.connect();
    probe.write(
      'POST /send/EVIL-ID/7?evil=1 HTTP/1.1\r\nHost: evil.example\r\nX-Evil: evil\r\nContent-Length: 0\r\n\r\n',
    );
    expect((await probe.answer()).head).not.toMatch(/evil/i);
  });

  test('check 40: an upstream that cannot be reached makes the first send a 503, and later requests 404', async () => {
    const core = (stream: Duplex): void => {
      stream.once('data', () =>
        setImmediate(() => stream.destroy(new TransportError('REFUSED', 'nobody listens there'))),
      );
    };
    const rig = await start({ core });
    const { probe, id } = await rig.open();
    expect((await probe.post(`/send/${id}/0`, C0C1)).status).toBe(503);
    await probe.ended();
    expect((await (await rig.connect()).post(`/idle/${id}/1`)).status).toBe(404);
  });

  test('check 40: an upstream that breaks after it has spoken is a 404', async () => {
    const rig = await start({ core: greeter });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, C0C1);
    probe.send(`/idle/${id}/1`);
    const core = await rig.core();
    setTimeout(() => core.stream.destroy(new TransportError('RESET', 'it broke')), 10);
    expect((await probe.answer()).status).toBe(404);
  });

  test('check 41: X-Forwarded-For and Forwarded of an untrusted peer are ignored', async () => {
    const rig = await start();
    const { core } = await openThrough(rig, ['X-Forwarded-For: 198.51.100.7', 'X-Forwarded-Proto: https']);
    expect(core.peer).toMatchObject({ address: '127.0.0.1', scheme: 'rtmpt', secure: false });
  });

  test('check 41: of a trusted peer, the right-most untrusted address counts', async () => {
    const rig = await start({ peer: { trusted: true }, isTrusted: (address) => address.startsWith('10.') });
    const fields = [
      'X-Forwarded-For: 203.0.113.9, 198.51.100.7',
      'X-Forwarded-For: 10.0.0.2',
      'X-Forwarded-Proto: https',
    ];
    const { core } = await openThrough(rig, fields);
    expect(core.peer).toMatchObject({ address: '198.51.100.7', scheme: 'rtmpts', secure: true });
  });

  test('check 41: a forwarding header of 10 KiB from a trusted peer is refused', async () => {
    const rig = await start({ peer: { trusted: true } });
    const probe = await rig.connect();
    expect((await probe.post('/open/1', '\0', [`X-Forwarded-For: ${'1.2.3.4, '.repeat(1200)}`])).status).toBe(400);
    expect(rig.tunnels.count).toBe(0);
  });

  test('check 42: OPTIONS on a path of the tunnel is not allowed', async () => {
    const rig = await start();
    for (const path of ['/open/1', '/idle/x/0', '/fcs/ident2']) {
      const probe = await rig.connect();
      probe.write(
        `OPTIONS ${path} HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
      );
      const answer = await probe.answer();
      expect(answer).toMatchObject({ status: 405, body: Buffer.alloc(0) });
      expect(answer.head).not.toContain('Access-Control');
    }
  });

  async function openThrough(
    rig: TunnelRig,
    fields: string[],
  ): Promise<{ core: Awaited<ReturnType<TunnelRig['core']>> }> {
    const probe: HttpProbe = await rig.connect();
    const id = text(await probe.post('/open/1', '\0', fields)).trimEnd();
    await probe.post(`/send/${id}/0`, 'x');
    return { core: await rig.core() };
  }
});
