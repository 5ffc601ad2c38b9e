import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { flvRouter, type FlvOptions } from '../../../src/delivery/index.ts';
import { Hub, streamName } from '../../../src/hub/index.ts';
import { flvHeader, flvTagOf, type Frame } from '../../../src/media/index.ts';
import { createWebApp } from '../../../src/web/index.ts';
import { NO_LOG } from '../../../src/log.ts';
import { Router } from 'express';
import { aacHeader, audio, avcHeader, cuePoint, inter, key, metadata } from '../../support/frames.ts';
import { recordingLog } from '../../support/recording-log.ts';

const NAME = streamName('live', 'cam');
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function stage(options: Partial<FlvOptions> = {}) {
  const hub = new Hub({ graceMs: 0 });
  const { log, lines } = recordingLog();
  const app = createWebApp(
    { crossdomain: null },
    {
      tunnels: Router(),
      draining: () => false,
      doors: () => [],
      log: NO_LOG,
      delivery: [flvRouter(hub, options, log)],
    },
  );
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const publish = (name = NAME) => hub.publish(name, { end: () => {} }, 0);
  const ask = (path: string, method = 'GET') => answer(port, path, method);
  const players = () => hub.playersOf(NAME);
  return { hub, lines, port, publish, ask, players };
}

function answer(port: number, path: string, method: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ port, path, method, host: '127.0.0.1', agent: false }, resolve).on('error', reject).end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** As a joiner gets them: headers at the time of the first frame. */
function file(...frames: readonly Frame[]): Buffer {
  return Buffer.concat([flvHeader(), ...frames.map((frame) => flvTagOf(frame))]);
}

describe('GET /flv/APP/STREAM.flv', () => {
  it('begins with headers and the last group of pictures, goes on live and ends with the stream', async () => {
    const { publish, ask, players } = await stage();
    const publication = publish();
    for (const frame of [metadata(), avcHeader(), aacHeader(), key(0), key(1000), audio(1005)])
      publication.write(frame, 0);
    const response = await ask('/flv/live/cam.flv');
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'video/x-flv',
      'access-control-allow-origin': '*',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'transfer-encoding': 'chunked',
    });
    for (const frame of [cuePoint(1030), inter(1040)]) publication.write(frame, 0);
    publication.end(0);
    const headers = [metadata(1000), avcHeader(1000), aacHeader(1000)];
    expect(await bodyOf(response)).toEqual(file(...headers, key(1000), audio(1005), cuePoint(1030), inter(1040)));
    expect(players()).toBe(0);
  });

  it('waits for a keyframe with ?gop=0', async () => {
    const { publish, ask, players } = await stage();
    const publication = publish();
    for (const frame of [avcHeader(), key(0), inter(40)]) publication.write(frame, 0);
    const answered = ask('/flv/live/cam.flv?gop=0');
    await until(() => players() === 1);
    for (const frame of [inter(80), key(120)]) publication.write(frame, 0);
    publication.end(0);
    expect(await bodyOf(await answered)).toEqual(file(avcHeader(120), key(120)));
  });

  it('waits a moment for a publisher, and plays when one comes', async () => {
    const { publish, ask, players } = await stage();
    const answered = ask('/flv/live/cam.flv');
    await until(() => players() === 1);
    const publication = publish();
    for (const frame of [avcHeader(), key(0)]) publication.write(frame, 0);
    publication.end(0);
    expect(await bodyOf(await answered)).toEqual(file(avcHeader(), key(0)));
  });

  it('is 404 when nobody came, and the connection is good for another request', async () => {
    const { port, players } = await stage({ waitMs: 50 });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /flv/live/cam.flv HTTP/1.1\r\nHost: x\r\n\r\n');
    const first = await textFrom(socket, /<\/html>/);
    expect(first).toMatch(/^HTTP\/1\.1 404 /);
    expect(first).toMatch(/Access-Control-Allow-Origin: \*/);
    expect(players()).toBe(0);
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await textFrom(socket, /\r\n\r\nok$/)).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it('leaves the stream when the client goes', async () => {
    const { publish, ask, players } = await stage();
    publish().write(key(0), 0);
    const response = await ask('/flv/live/cam.flv');
    expect(players()).toBe(1);
    response.destroy();
    await until(() => players() === 0);
  });

  it('leaves the stream when the client goes before anything came', async () => {
    const { port, players } = await stage();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /flv/live/cam.flv HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => players() === 1);
    socket.destroy();
    await until(() => players() === 0);
  });

  it.each([
    ['/flv/live/caf%C3%A9.flv', 'live', 'café'],
    ['/flv/live/a/b.flv', 'live/a', 'b'],
    ['/flv/live/a%2Fb.flv', 'live', 'a/b'],
    ['/flv/a%20b/c.d.flv', 'a b', 'c.d'],
    ['/flv/solo.flv', '', 'solo'],
  ])('finds %s', async (path, app, stream) => {
    const { publish, ask } = await stage();
    publish(streamName(app, stream)).write(key(0), 0);
    const response = await ask(path);
    expect(response.statusCode).toBe(200);
    response.destroy();
  });

  it.each([
    ['no ending', '/flv/live/cam', 404],
    ['another ending', '/flv/live/cam.mp4', 404],
    ['no name', '/flv/live/.flv', 404],
    ['a parent', '/flv/live/..%2F..%2Fcam.flv', 404],
    ['a question mark in the name', '/flv/live/cam%3Fx.flv', 404],
    ['a control character', '/flv/live/a%00b.flv', 404],
    ['no UTF-8', '/flv/live/%E9.flv', 400],
    ['nothing', '/flv/', 404],
  ])('is refused at once for %s', async (_, path, status) => {
    const { ask, publish } = await stage({ waitMs: 60_000 });
    publish().write(key(0), 0);
    expect((await ask(path)).statusCode).toBe(status);
  });

  it('is refused when the hub has stopped', async () => {
    const { ask, hub } = await stage({ waitMs: 60_000 });
    hub.stop();
    expect((await ask('/flv/live/cam.flv')).statusCode).toBe(404);
  });
});

describe('other methods', () => {
  it('HEAD tells whether somebody publishes now', async () => {
    const { ask, publish, players } = await stage({ waitMs: 60_000 });
    const absent = await ask('/flv/live/cam.flv', 'HEAD');
    expect([absent.statusCode, absent.headers['access-control-allow-origin']]).toEqual([404, '*']);
    publish();
    const response = await ask('/flv/live/cam.flv', 'HEAD');
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'video/x-flv']);
    expect(await bodyOf(response)).toHaveLength(0);
    expect(players()).toBe(0);
  });

  it('OPTIONS lets any page ask', async () => {
    const { ask } = await stage();
    const { statusCode, headers } = await ask('/flv/live/cam.flv', 'OPTIONS');
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD' });
  });

  it('POST is 405', async () => {
    const { ask } = await stage();
    const { statusCode, headers } = await ask('/flv/live/cam.flv', 'POST');
    expect([statusCode, headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});

describe('A client that reads too slowly', () => {
  it('loses whole stretches up to a keyframe, and nobody else does', async () => {
    const outbox = { maxFrames: 50, maxBytes: 1e9, maxDurationMs: 1e9 };
    const { publish, ask, players } = await stage({ outbox });
    const publication = publish();
    publication.write(avcHeader(), 0);
    publication.write(key(0), 0);
    const [slow, quick] = [await ask('/flv/live/cam.flv'), await ask('/flv/live/cam.flv')];
    const all = bodyOf(quick);
    for (let i = 1; i <= 400; i++) {
      publication.write(i % 20 === 0 ? key(i * 40, 0, 100_000) : inter(i * 40, 0, 100_000), 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    publication.end(0);
    const [got, sent] = [timesIn(await bodyOf(slow)), timesIn(await all)];
    expect(sent).toHaveLength(402);
    expect(got.length).toBeLessThan(402);
    got.forEach((time, index) => {
      if (index > 1 && time - got[index - 1]! > 40) expect(time % 800).toBe(0);
    });
    expect(players()).toBe(0);
  });

  it('is cut off when it takes nothing any more', async () => {
    const { publish, port, players, lines } = await stage({ stallMs: 100 });
    const publication = publish();
    publication.write(key(0, 0, 100), 0);
    const socket = connect(port, '127.0.0.1').pause();
    socket.on('error', () => {});
    socket.write('GET /flv/live/cam.flv HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => players() === 1);
    for (let i = 1; i <= 100; i++) publication.write(key(i * 40, 0, 200_000), 0);
    await until(() => players() === 0);
    expect(lines.some(({ fields }) => (fields as { code?: string }).code === 'PEER_STALLED')).toBe(true);
    socket.destroy();
  });

  it('is not cut off because the publisher is silent', async () => {
    const { publish, ask, players } = await stage({ stallMs: 20 });
    const publication = publish();
    publication.write(key(0), 0);
    const response = await ask('/flv/live/cam.flv');
    const body = bodyOf(response);
    await new Promise((resolve) => response.socket.setTimeout(200, () => resolve(undefined)));
    expect(players()).toBe(1);
    publication.write(inter(40), 0);
    publication.end(0);
    expect(await body).toEqual(file(key(0), inter(40)));
  });
});

function timesIn(body: Buffer): number[] {
  const times: number[] = [];
  for (let at = 13; at < body.length; at += 15 + body.readUIntBE(at + 1, 3)) times.push(body.readUIntBE(at + 4, 3));
  return times;
}

async function textFrom(socket: Socket, end: RegExp): Promise<string> {
  let text = '';
  while (!end.test(text)) text += String((await once(socket, 'data'))[0]);
  return text;
}
