import { describe, expect, test } from 'vitest';
import type { Duplex } from 'node:stream';
import { ProtocolError, TransportError } from '../../../src/errors.ts';
import { formatPost } from '../../support/http-probe.ts';
import { seeded } from '../../support/random.ts';
import { C0C1, echo, text, rigs } from '../../support/tunnel-cores.ts';
import { ENGINES } from '../../support/tunnel-rig.ts';

/**
 * The tunnel as particular clients and networks make use of it, over both HTTP engines. Numbers are those of the list of checks that the
 * tunnel was designed against; behaviours named after a client were measured with that client.
 */

describe.each(ENGINES)('a tunnel behind the %s', (engine) => {
  const start = rigs({ engine });

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
});
