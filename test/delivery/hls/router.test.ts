import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hls } from '../../../src/delivery/hls/hls.ts';
import { hlsRouter } from '../../../src/delivery/hls/router.ts';
import { SharedText } from '../../../src/delivery/hls/shared-text.ts';
import type { Answer, Reload } from '../../../src/delivery/hls/show.ts';
import type { StreamName } from '../../../src/hub/index.ts';

const LONG = `#EXTM3U\n${'#EXTINF:2,\nv0-1.m4s\n'.repeat(100)}`;
const MEDIA = [Buffer.from('moof'), Buffer.from('mdat')];

/** What was asked for, as the router understood it. */
let asked: unknown[] = [];
let server: Server;

const note = (what: string, ...rest: readonly unknown[]): void => void asked.push(what, ...rest);

const SHOW = {
  multivariant: async (): Promise<Answer> => ({ status: 200, playlist: new SharedText('#EXTM3U\n'), maxAge: 0 }),
  async playlist(name: string, reload: Reload): Promise<Answer> {
    note('playlist', name, reload);
    return { status: 200, playlist: new SharedText(LONG), maxAge: reload.sequence === undefined ? 0 : 2 };
  },
  init: (name: string, number: number): Answer => (note('init', name, number), { status: 200, media: MEDIA }),
  segment: (name: string, number: number): Answer => (note('segment', name, number), { status: 200, media: MEDIA }),
  async part(name: string, number: number, index: number): Promise<Answer> {
    note('part', name, number, index);
    return { status: 404 };
  },
};

const HLS = {
  show: async ({ app, key }: StreamName) => (key === 'nobody' ? 404 : key === 'full' ? 503 : (note(app, key), SHOW)),
} as unknown as Hls;

beforeAll(async () => {
  server = createServer(
    express().use(
      '/hls',
      hlsRouter(HLS, () => 0),
    ),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Neither decodes paths nor unpacks bodies. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  asked = [];
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asking = request({ port, path: `/hls${path}`, headers, method, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) });
      });
    });
    asking.on('error', reject).end();
  });
}

describe('an address of HLS', () => {
  it.each([
    ['/live/one/v0-init-7.mp4', ['live', 'one', 'init', 'v0', 7]],
    ['/live/one/a12-7.m4s', ['live', 'one', 'segment', 'a12', 7]],
    ['/live/one/v0-7.3.m4s', ['live', 'one', 'part', 'v0', 7, 3]],
    ['/live/a%2Fb/v0-7.m4s', ['live', 'a/b', 'segment', 'v0', 7]],
    ['/a/b/one/v0-7.m4s', ['a/b', 'one', 'segment', 'v0', 7]],
    ['/%6Cive/%6Fne/v0-7.m4s', ['live', 'one', 'segment', 'v0', 7]],
  ])('%s is understood', async (path, meaning) => {
    await ask(path);
    expect(asked).toEqual(meaning);
  });

  it.each([
    ['/live/one/', 404],
    ['/live/one', 404],
    ['/index.m3u8', 404],
    ['/live/one/v0-7.ts', 404],
    ['/live/one/x0.m3u8', 404],
    ['/live/one/v0-9999999999999.m4s', 404],
    ['/live/on%3Fe/index.m3u8', 404],
    ['/live/..%2F..%2Fetc/index.m3u8', 404],
    ['/live/on%ZZ/index.m3u8', 400],
    ['/live/nobody/index.m3u8', 404],
    ['/live/full/index.m3u8', 503],
  ])('%s is refused with %i, and no cache keeps that', async (path, status) => {
    const got = await ask(path);
    expect(got.status).toBe(status);
    if (status !== 400) expect(got.headers['cache-control']).toBe('no-store');
    expect(got.headers['access-control-allow-origin']).toBe('*');
    expect(got.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
  });

  it.each([
    ['_HLS_msn=7', { sequence: 7, part: undefined, skip: false }],
    ['_HLS_msn=7&_HLS_part=0&_HLS_skip=YES', { sequence: 7, part: 0, skip: true }],
    ['_HLS_skip=v2', { sequence: undefined, part: undefined, skip: true }],
    ['_HLS_skip=NO&token=x', { sequence: undefined, part: undefined, skip: false }],
  ])('may say %s', async (query, reload) => {
    expect((await ask(`/live/one/v0.m3u8?${query}`)).status).toBe(200);
    expect(asked.at(-1)).toEqual(reload);
  });

  it.each([
    '_HLS_msn=',
    '_HLS_msn=-1',
    '_HLS_msn=1e3',
    '_HLS_msn=9999999999999',
    '_HLS_part=1',
    '_HLS_msn=1&_HLS_part=x',
  ])('may not say %s', async (query) => {
    expect((await ask(`/live/one/v0.m3u8?${query}`)).status).toBe(400);
  });
});

describe('an answer of HLS', () => {
  it('may be kept: media by its name, a playlist by what it was waited for, and no other', async () => {
    const cached = async (path: string) => (await ask(path)).headers['cache-control'];
    expect(await cached('/live/one/v0-7.m4s')).toBe('public, max-age=3600, immutable');
    expect(await cached('/live/one/v0.m3u8?_HLS_msn=7')).toBe('public, max-age=2');
    expect(await cached('/live/one/v0.m3u8')).toBe('no-cache');
    expect(await cached('/live/one/index.m3u8')).toBe('no-cache');
  });

  it.each([
    [undefined, false],
    ['gzip', true],
    ['br, gzip;q=0.1', true],
    ['*', true],
    ['gzip;q=0', false],
    ['identity, *;q=0', false],
    ['br', false],
  ])('to who accepts %s is compressed: %s', async (accepted, isCompressed) => {
    const { headers, body } = await ask(
      '/live/one/v0.m3u8',
      accepted === undefined ? {} : { 'Accept-Encoding': accepted },
    );
    expect(headers['content-encoding']).toBe(isCompressed ? 'gzip' : undefined);
    expect(headers.vary).toBe('Accept-Encoding');
    expect((isCompressed ? gunzipSync(body) : body).toString()).toBe(LONG);
  });

  it('has a head that can be asked for alone', async () => {
    const media = await ask('/live/one/v0-7.m4s', {}, 'HEAD');
    expect([media.status, media.headers['content-length'], media.body.length]).toEqual([200, '8', 0]);
    const playlist = await ask('/live/one/v0.m3u8', {}, 'HEAD');
    expect([playlist.status, playlist.headers['content-type'], playlist.body.length]).toEqual([
      ...[200, 'application/vnd.apple.mpegurl', 0],
    ]);
  });

  it('lets pages of others ask, with headers of theirs', async () => {
    const { status, headers } = await ask('/live/one/v0.m3u8', {}, 'OPTIONS');
    expect(status).toBe(204);
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' });
  });

  it('to other methods says which there are', async () => {
    const { status, headers } = await ask('/live/one/v0.m3u8', {}, 'POST');
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});
