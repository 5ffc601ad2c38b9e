import { describe, expect, test } from 'vitest';
import { NO_LOG, type Log } from '../../../src/log.ts';
import { EARLY_LINES, formatDataStart } from '../../../src/transport/rtmpt/reply.ts';
import { formatPost, type HttpProbe } from '../../support/http-probe.ts';
import { seeded } from '../../support/random.ts';
import { echo, text, turns, rigs } from '../../support/tunnel-cores.ts';

/** What only the tunnel's own engine does. What both engines do is in `conformance.test.ts` and its like. */
const start = rigs();

describe('requests in pieces', () => {
  test('check 11: a request may be cut at every byte', async () => {
    const rig = await start({ core: echo });
    const { id } = await rig.open();
    const length = formatPost(`/send/${id}/100`, 'abc').length;
    const probe = await rig.connect();
    for (let number = 0; number < length; number++) {
      const post = formatPost(`/send/${id}/${number}`, 'abc');
      probe.write(post.subarray(0, number));
      await turns(4);
      probe.write(post.subarray(number));
      expect(text(await probe.answer())).toBe('\x01abc');
    }
  });

  test('check 11: a request may come byte by byte', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    for (const byte of formatPost(`/send/${id}/0`, 'abc')) {
      probe.socket.write(Buffer.of(byte));
      await turns(1);
    }
    expect(text(await probe.answer())).toBe('\x01abc');
  });

  test('hundreds of requests in one segment are answered in order, all but the last bare', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    const posts = Array.from({ length: 300 }, (_, number) => formatPost(`/send/${id}/${number}`, 'x'));
    probe.write(...posts);
    let said = '';
    for (let i = 0; i < 300; i++) said += text(await probe.answer()).slice(1);
    expect(said).toBe('x'.repeat(300));
    expect((await rig.core()).text).toBe('x'.repeat(300));
  });

  test('a body of several mebibytes streams through while it arrives', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    const body = seeded(5).bytes(5 * 1024 * 1024);
    const post = formatPost(`/send/${id}/0`, body);
    probe.write(post.subarray(0, post.length - 1));
    const core = await rig.core();
    await core.until(({ bytes }) => bytes === body.length - 1);
    probe.write(post.subarray(post.length - 1));
    await core.until(({ bytes }) => bytes === body.length);
    expect(Buffer.concat(core.heard).equals(body)).toBe(true);
  });
});

describe('early heads', () => {
  const FFMPEG = (path: string, length: number): string =>
    [
      `POST ${path} HTTP/1.1`,
      'Accept: */*',
      'Connection: keep-alive',
      'Host: localhost:80',
      `Content-Length: ${length}`,
      'Icy-MetaData: 1',
      'Cache-Control: no-cache',
      'Content-type: application/x-fcs',
      'User-Agent: Shockwave Flash',
      '\r\n',
    ].join('\r\n');

  /** Collects raw bytes instead of answers. */
  function listen(probe: HttpProbe): { readonly text: () => string; hears(pattern: RegExp): Promise<string> } {
    let received = '';
    probe.socket.removeAllListeners('data');
    probe.socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
    return {
      text: () => received,
      async hears(pattern) {
        while (!pattern.test(received)) await new Promise((resolve) => probe.socket.once('data', resolve));
        return received;
      },
    };
  }

  test('FFmpeg gets the head of its answer before its body is here', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const raw = listen(probe);
    probe.write(FFMPEG(`/send/${id}/1`, 5));
    expect(await raw.hears(/\n$/)).toBe('HTTP/1.1 200 OK\r\n');
    probe.write('hello');
    expect(await raw.hears(/hello$/)).toBe(`${formatDataStart(1, 5, true).toString('latin1')}hello`);
  });

  test('each piece of the body that is not the last one brings a line more, as long as there are lines', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const raw = listen(probe);
    const lines = EARLY_LINES.map((line) => line.toString('latin1'));
    probe.write(FFMPEG(`/send/${id}/1`, 9));
    for (const [index] of lines.entries()) {
      const sofar = lines.slice(0, index + 1).join('');
      while (raw.text().length < sofar.length) await turns(1);
      expect(raw.text()).toBe(sofar);
      probe.write(String(index));
    }
    await turns(20);
    expect(raw.text()).toBe(lines.join(''));
    probe.write('678');
    expect(await raw.hears(/012345678$/)).toBe(`${formatDataStart(1, 9, true).toString('latin1')}012345678`);
  });

  test.each([
    ['the first send of a session', '', 0],
    ['a client that spells Connection otherwise', 'Connection: Keep-Alive', 1],
    ['a client that is not FFmpeg', 'Icy-MetaData: 0', 1],
    ['a request that came through a proxy', 'Via: 1.1 squid', 1],
    ['a request with X-Forwarded-For', 'X-Forwarded-For: 192.0.2.1', 1],
    ['a number that is not the next', '', 2],
  ])('%s does not get it', async (_, field, number) => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    if (number > 0) await probe.post(`/send/${id}/0`, 'x');
    const raw = listen(probe);
    const name = field.split(':')[0]!;
    const lines = FFMPEG(`/send/${id}/${number}`, 5).split('\r\n');
    const kept = field === '' ? lines : lines.filter((line) => !line.startsWith(name));
    if (field !== '') kept.splice(1, 0, field);
    probe.write(kept.join('\r\n'));
    await turns(10);
    expect(raw.text()).toBe('');
  });

  test('when the session ends after the early head, the answer is bare, and the next one 404', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const raw = listen(probe);
    probe.write(FFMPEG(`/send/${id}/1`, 5));
    await raw.hears(/200 OK\r\n$/);
    (await rig.core()).stream.destroy();
    probe.write('hello');
    await raw.hears(/1\r\n\r\n.$/);
    probe.write(formatPost(`/idle/${id}/2`));
    await raw.hears(/HTTP\/1\.1 404 Not Found/);
  });
});

describe('handing a connection over', () => {
  test.each([
    ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['GET /opening HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['POST /open/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['POST /open/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n'],
    ['GET /open/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'],
    ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%j goes to the web server with every byte', async (request) => {
    const rig = await start();
    const probe = await rig.connect();
    probe.write(request);
    expect((await probe.answer()).status).toBe(418);
    expect(rig.handedOver.map(String)).toEqual([request]);
    expect(rig.validRequests).toBe(0);
  });

  test('it waits for what is owed, and releases what is held', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 }, core: echo });
    const { probe, id } = await rig.open();
    probe.write(formatPost(`/send/${id}/0`, 'a'), formatPost(`/idle/${id}/1`), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const answers = [await probe.answer(), await probe.answer(), await probe.answer()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 418]);
    expect(answers.map(text).join('')).toContain('a');
    expect(String(rig.handedOver[0])).toMatch(/^GET \/ /);
  });

  test('a head that came in pieces is handed over whole', async () => {
    const rig = await start();
    const probe = await rig.connect();
    probe.write('GET /hls/x HT');
    await turns(5);
    probe.write('TP/1.1\r\nHost: a\r\n\r\n');
    await probe.answer();
    expect(String(rig.handedOver[0])).toBe('GET /hls/x HTTP/1.1\r\nHost: a\r\n\r\n');
  });
});

describe('strangers', () => {
  test('check 31: nothing behind a refused request is looked at', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    const smuggled = formatPost(`/send/${id}/0`, 'smuggled');
    probe.write(
      `POST /send/${id}/0 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: ${smuggled.length}\r\n\r\n`,
      smuggled,
    );
    expect((await probe.answer()).status).toBe(400);
    await probe.ended();
    expect(probe.answers).toHaveLength(0);
    expect(rig.cores).toHaveLength(0);
  });

  test('check 34: unknown ids get 404 at once, cost a connection each, and fill no log', async () => {
    const lines: string[] = [];
    const note = (_: object, line: string): void => void lines.push(line);
    const log: Log = { ...NO_LOG, info: note, warn: note, error: note };
    const rig = await start({ log });
    const random = seeded(34);
    for (let i = 0; i < 300; i++) {
      const probe = await rig.connect();
      const id = random.bytes(16).toString('hex').slice(0, 22);
      expect((await probe.post(`/idle/${id}/${i}`)).status).toBe(404);
      await probe.ended();
      probe.destroy();
    }
    expect(lines.length).toBeLessThan(10);
    expect(rig.validRequests).toBe(0);
    expect(rig.tunnels.count).toBe(0);
  });

  test('check 35: 1000 pipelined opens make 1000 sessions, which all expire', async () => {
    const rig = await start({ tunnel: { idleTimeoutMs: 300 } });
    const probe = await rig.connect();
    probe.write(...Array.from({ length: 1000 }, () => formatPost('/open/1')));
    const ids = new Set<string>();
    for (let i = 0; i < 1000; i++) ids.add(text(await probe.answer()));
    expect(ids.size).toBe(1000);
    await expect.poll(() => rig.tunnels.count, { timeout: 5_000 }).toBe(0);
    expect(rig.cores).toHaveLength(0);
  });

  test('check 35: pipelined opens of a client that reads nothing are not read on without end', async () => {
    const rig = await start({ tunnel: { maxSessions: 1_000_000 } });
    const probe = await rig.connect({ paused: true });
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => formatPost('/open/1')));
    let batches = 0;
    while (batches < 400 && (probe.socket.write(batch) || probe.socket.writableLength < 8 * batch.length)) {
      batches += 1;
      await turns(2);
    }
    expect(rig.tunnels.count).toBeLessThan(200_000);
    expect(rig.sockets[0]!.writableLength).toBeLessThan(1024 * 1024);
  });

  test('a bare line feed is refused', async () => {
    const rig = await start();
    const probe = await rig.connect();
    probe.write('POST /open/1 HTTP/1.1\nHost: a\nContent-Length: 0\n\n');
    expect((await probe.answer()).status).toBe(400);
    await probe.ended();
  });

  test('a request counts as valid only when it opens a session or belongs to one', async () => {
    const rig = await start({ tunnel: { maxSessions: 1 } });
    const first = await rig.connect();
    await first.post('/fcs/ident2');
    expect(rig.validRequests).toBe(0);
    const id = text(await first.post('/open/1')).trimEnd();
    expect(rig.validRequests).toBe(1);
    await first.post(`/send/${id}/0`, 'x');
    expect(rig.validRequests).toBe(1);
    await (await rig.connect()).post('/open/1');
    expect(rig.validRequests).toBe(1);
    await (await rig.connect()).post(`/send/${id}/1`, 'x');
    expect(rig.validRequests).toBe(2);
  });
});

describe('endings', () => {
  test('a client that ends its side still gets its answers', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    probe.socket.end(Buffer.concat([formatPost(`/send/${id}/0`, 'a'), formatPost(`/send/${id}/1`, 'b')]));
    expect(text(await probe.answer()) + text(await probe.answer())).toBe('\x01\x01ab');
    await probe.ended();
  });

  test('a client that ends its side during a hold is answered bare, and payload waits for the next connection', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    probe.socket.end(formatPost(`/idle/${id}/1`));
    expect(text(await probe.answer())).toBe('\x01');
    (await rig.core()).stream.write('kept');
    expect(text(await (await rig.connect()).post(`/idle/${id}/2`))).toBe('\x01kept');
  });

  test('a client that vanishes during a hold costs nothing of the stream', async () => {
    const rig = await start({ tunnel: { holdMs: 4_000 } });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    probe.send(`/idle/${id}/1`);
    await turns(10);
    probe.socket.resetAndDestroy();
    await new Promise((resolve) => rig.sockets[0]!.once('close', resolve));
    (await rig.core()).stream.write('kept');
    expect(text(await (await rig.connect()).post(`/idle/${id}/1`))).toBe('\x01kept');
  });

  test('stop resolves when sessions and connections are gone, and takes nobody new', async () => {
    const rig = await start({ core: echo });
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const idle = await rig.connect();
    await idle.post('/fcs/ident2');
    const stopped = rig.tunnels.stop();
    const late = await rig.connect();
    expect((await late.post('/open/1')).status).toBe(503);
    late.destroy();
    expect(text(await probe.post(`/send/${id}/1`, 'y'))).toBe('\x01y');
    (await rig.core()).stream.end('bye');
    expect(text(await probe.post(`/idle/${id}/2`))).toBe('\x01bye');
    await Promise.all([probe.ended(), idle.ended()]);
    probe.destroy();
    idle.destroy();
    await stopped;
    expect(rig.tunnels.count).toBe(0);
  });

  test('a mistake in a core ends its session, not the connection of another', async () => {
    const errors: unknown[] = [];
    const log: Log = { ...NO_LOG, error: (fields) => void errors.push(fields) };
    const rig = await start({
      log,
      core: () => {
        throw new Error('a bug');
      },
    });
    const { probe, id } = await rig.open();
    expect((await probe.post(`/send/${id}/0`, 'x')).status).toBe(404);
    expect(errors).toHaveLength(1);
    expect((await (await rig.connect()).post('/open/1')).status).toBe(200);
  });
});
