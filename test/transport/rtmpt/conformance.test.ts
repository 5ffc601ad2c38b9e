import { afterEach, describe, expect, test } from 'vitest';
import type { Duplex } from 'node:stream';
import { ProtocolError, TransportError } from '../../../src/errors.ts';
import { ENGINES, TunnelRig, type RigOptions } from '../../support/tunnel-rig.ts';
import { formatPost, type HttpProbe } from '../../support/http-probe.ts';
import { seeded } from '../../support/random.ts';

/**
 * The tunnel as clients and hostile strangers see it, over both HTTP engines. Numbers are those of the list of checks
 * that the tunnel was designed against; behaviours named after a client were measured with that client.
 */

const rigs: TunnelRig[] = [];

afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.stop()));
});

const C0C1 = Buffer.concat([Buffer.of(3), seeded(1).bytes(1536)]);
const S0S1S2 = Buffer.concat([Buffer.of(3), seeded(2).bytes(3072)]);
const C2 = seeded(3).bytes(1536);

/** Answers C0C1 with S0S1S2 in two writes, a turn apart; what comes behind C2 with `_result` and itself. */
function greeter(stream: Duplex): void {
  let seen = 0;
  stream.on('data', (bytes: Buffer) => {
    const before = seen;
    seen += bytes.length;
    if (before < 1537 && seen >= 1537) {
      stream.write(S0S1S2.subarray(0, 1537));
      setImmediate(() => stream.write(S0S1S2.subarray(1537)));
    }
    const command = bytes.subarray(Math.max(0, 3073 - before));
    if (command.length > 0) stream.write(Buffer.concat([Buffer.from('_result '), command]));
  });
}

function echo(stream: Duplex): void {
  stream.on('data', (bytes: Buffer) => stream.write(bytes));
}

function text({ body }: { readonly body: Buffer }): string {
  return body.toString('latin1');
}

describe.each(ENGINES)('a tunnel behind the %s', (engine) => {
  async function start(options: RigOptions = {}): Promise<TunnelRig> {
    const rig = await TunnelRig.start({ engine, ...options });
    rigs.push(rig);
    return rig;
  }

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

  // Clients ---------------------------------------------------------------------------------------------------------

  test('check 11: head and body may come in two segments', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    const post = formatPost(`/send/${id}/0`, 'hello');
    probe.write(post.subarray(0, -5));
    await new Promise((resolve) => setTimeout(resolve, 40));
    probe.write(post.subarray(-5));
    expect(text(await probe.answer())).toBe('\x01hello');
  });

  test('check 17: of two requests outstanding the first is answered bare, the last with all that waits', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const payload = seeded(17).bytes(20_000);
    (await rig.core()).stream.write(payload);
    probe.write(formatPost(`/idle/${id}/1`), formatPost(`/idle/${id}/2`));
    expect(text(await probe.answer())).toBe('\x01');
    const received = [await probe.answer()];
    while (Buffer.concat(received.map(({ body }) => body.subarray(1))).length < payload.length)
      received.push(await probe.post(`/idle/${id}/${received.length + 2}`));
    expect(Buffer.concat(received.map(({ body }) => body.subarray(1)))).toEqual(payload);
  });

  test('check 18: the first number may be 1 (red5-client)', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    expect(text(await probe.post(`/send/${id}/1`, 'a'))).toBe('\x01a');
    expect(text(await probe.post(`/send/${id}/2`, 'b'))).toBe('\x01b');
  });

  test('check 18: the first request may be an idle (Flash, RootEncoder)', async () => {
    const rig = await start({ core: echo, tunnel: { holdMs: 20 } });
    const { probe, id } = await rig.open();
    expect(text(await probe.post(`/idle/${id}/0`))).toBe('\x01');
    expect(text(await probe.post(`/send/${id}/1`, 'a'))).toBe('\x01a');
  });

  test('check 19: requests that overtake each other on three connections are taken in order, and all answered', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, '0');
    const [second, third] = [await rig.connect(), await rig.connect()];
    third.send(`/send/${id}/3`, '3');
    second.send(`/send/${id}/2`, '2');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const core = await rig.core();
    expect(core.text).toBe('0');
    probe.send(`/send/${id}/1`, '1');
    await core.hears('0123');
    const answers = await Promise.all([probe.answer(), second.answer(), third.answer()]);
    expect(answers.map(text)).toEqual(['\x01', '\x01', '\x01']);
  });

  test('check 20: a send repeated after its answer reaches the core once, and is answered identically', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    const first = await probe.post(`/send/${id}/0`, 'once');
    const again = await (await rig.connect()).post(`/send/${id}/0`, 'once');
    expect(again).toEqual(first);
    expect(text(again)).toBe('\x01once');
    await probe.post(`/send/${id}/1`, 'more');
    expect((await rig.core()).text).toBe('oncemore');
  });

  test('check 20: the answer to a repeat that is too old to be kept is bare', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    for (let number = 0; number <= 16; number++) await probe.post(`/send/${id}/${number}`, String(number));
    expect(text(await probe.post(`/send/${id}/1`, '1'))).toBe('\x011');
    expect(text(await probe.post(`/send/${id}/0`, '0'))).toBe('\x01');
  });

  test('check 20: a repeat of a request that is still outstanding joins its answer', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const other = await rig.connect();
    probe.send(`/idle/${id}/1`);
    other.send(`/idle/${id}/1`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    (await rig.core()).stream.write('frame');
    expect(text(await probe.answer())).toBe('\x01frame');
    expect(text(await other.answer())).toBe('\x01frame');
  });

  test('check 21: a send that waits in vain for an earlier number ends the session, and is answered with 404', async () => {
    const rig = await start({ tunnel: { gapTimeoutMs: 60 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    expect((await probe.post(`/send/${id}/2`, 'too early')).status).toBe(404);
    const core = await rig.core();
    await core.until(({ isClosed }) => isClosed);
    expect(core.text).toBe('x');
    expect(core.fault).toBeInstanceOf(ProtocolError);
    expect(rig.tunnels.count).toBe(0);
  });

  test('check 21: an idle that waits in vain for an earlier number is answered, and the session lives', async () => {
    const rig = await start({ tunnel: { skipAfterMs: 60, holdMs: 20 }, core: echo });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    expect(text(await probe.post(`/idle/${id}/2`))).toBe('\x01');
    expect(text(await probe.post(`/send/${id}/3`, 'y'))).toBe('\x01y');
  });

  test('check 21: a number that was given up and then comes as a send ends the session', async () => {
    const rig = await start({ tunnel: { skipAfterMs: 30, holdMs: 20 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    await probe.post(`/idle/${id}/2`);
    expect((await probe.post(`/send/${id}/1`, 'late')).status).toBe(404);
    await (await rig.core()).until(({ isClosed }) => isClosed);
  });

  test('check 22: payload of an answer that broke off half-way comes first in the next one', async () => {
    const rig = await start({ tunnel: { maxOutputBytes: 16 * 1024 * 1024 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const payload = seeded(22).bytes(12 * 1024 * 1024);
    const core = await rig.core();
    core.stream.write(payload);
    probe.socket.pause();
    probe.send(`/idle/${id}/1`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    probe.destroy();
    core.stream.write('and more');
    const other = await rig.connect();
    const received: Buffer[] = [];
    for (let number = 2; Buffer.concat(received).length < payload.length + 8; number++)
      received.push((await other.post(`/idle/${id}/${number}`)).body.subarray(1));
    const all = Buffer.concat(received);
    expect(all.subarray(0, payload.length).equals(payload)).toBe(true);
    expect(all.toString('latin1', payload.length)).toBe('and more');
    expect(rig.tunnels.count).toBe(1);
  });

  test('check 24: a session that nobody asks for is ended, its core closed, its place given back', async () => {
    let places = 0;
    const clients = {
      acquire: () => {
        places += 1;
        return () => (places -= 1);
      },
    };
    const rig = await start({ tunnel: { idleTimeoutMs: 60 }, clients });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    await rig.open();
    expect([rig.tunnels.count, places]).toEqual([2, 2]);
    const core = await rig.core();
    await core.until(({ isClosed }) => isClosed);
    await expect.poll(() => [rig.tunnels.count, places]).toEqual([0, 0]);
    expect((core.fault as TransportError).code).toBe('TUNNEL_EXPIRED');
    expect((await probe.post(`/idle/${id}/1`)).status).toBe(404);
  });

  test('check 27: a core that refuses the first bytes makes the first send a 404', async () => {
    const core = (stream: Duplex): void => {
      stream.once('data', () => stream.destroy(new ProtocolError('RTMPE', 'RTMPE is not spoken here')));
    };
    const rig = await start({ core });
    const { probe, id } = await rig.open();
    expect((await probe.post(`/send/${id}/0`, Buffer.concat([Buffer.of(6), C0C1.subarray(1)]))).status).toBe(404);
    await probe.ended();
  });

  test.each([
    [
      'an absolute target',
      (id: string) => [`POST http://gate:80/send/${id}/0 HTTP/1.1`, 'Host: gate', 'Content-Length: 2'],
    ],
    [
      'a query behind the number',
      (id: string) => [`POST /send/${id}/0?x=1 HTTP/1.1`, 'Host: gate', 'Content-Length: 2'],
    ],
    ['a doubled slash', (id: string) => [`POST //send/${id}/0 HTTP/1.1`, 'Host: gate', 'Content-Length: 2']],
    ['lower-case names', (id: string) => [`POST /send/${id}/0 HTTP/1.1`, 'host: gate', 'content-length: 2']],
    ['odd case and no space', (id: string) => [`POST /send/${id}/0 HTTP/1.1`, 'hOST:gate', 'cONTENT-lENGTH:2']],
    ['no Host at all', (id: string) => [`POST /send/${id}/0 HTTP/1.1`, 'Content-Length: 2']],
    [
      'another Content-Type',
      (id: string) => [`POST /send/${id}/0 HTTP/1.1`, 'Content-Type: text/html', 'Content-Length: 2'],
    ],
  ])('check 28: %s is accepted', async (_, lines) => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    probe.write(`${lines(id).join('\r\n')}\r\n\r\nhi`);
    expect(text(await probe.answer())).toBe('\x01hi');
  });

  test('check 28: a line break behind a body is overlooked', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    probe.write(formatPost(`/send/${id}/0`, 'a'), '\r\n', formatPost(`/send/${id}/1`, 'b'), '\r\n');
    const answers = [text(await probe.answer()), text(await probe.answer())];
    expect(answers.join('')).toBe('\x01\x01ab');
  });

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
    expect(closes.sort()).toEqual([200, 404]);
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

  test('while it drains, open gets 503 and living sessions go on', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    rig.tunnels.drain();
    expect((await (await rig.connect()).post('/open/1')).status).toBe(503);
    expect(text(await probe.post(`/send/${id}/0`, 'on'))).toBe('\x01on');
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
