import express from 'express';
import type { Request, Response, Router } from 'express';
import { RejectedError } from '../../errors.ts';
import { streamName, type StreamName } from '../../hub/index.ts';
import type { Hls } from './hls.ts';
import type { SharedText } from './shared-text.ts';
import type { Answer, Reload, Show } from './show.ts';
import type { Asker } from './waiting.ts';

/** Names of media files are never used again, but they are not kept for long either. */
const MEDIA_MAX_AGE = 3_600;

const FILE = /^([av]\d{1,3})(?:\.m3u8|-init-(\d{1,12})\.mp4|-(\d{1,12})(?:\.(\d{1,4}))?\.m4s)$/;

/** `/APP/STREAM/index.m3u8` and what it names. To be mounted at `/hls`. */
export function hlsRouter(hls: Hls, now: () => number): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.use((_, response, next) => {
    allowAnyOrigin(response);
    next();
  });
  router
    .route('/{*path}')
    .get(async (request, response) => {
      const target = targetOf(request);
      const asker = { now: now(), isGone: () => response.destroyed };
      send(request, response, target === undefined ? { status: 404 } : await answer(hls, target, request, asker));
    })
    .options((_, response) => void response.status(204).end())
    .all((_, response) => void response.set('Allow', 'GET, HEAD, OPTIONS').status(405).end());
  return router;
}

interface Target {
  readonly name: StreamName;
  readonly file: string;
}

/** Express has taken the path apart and decoded its pieces; a slash within one is a part of the name like any other. */
function targetOf(request: Request): Target | undefined {
  const { path } = request.params as { readonly path?: string | readonly string[] };
  const pieces = typeof path === 'string' ? [path] : [...(path ?? [])];
  const file = pieces.pop();
  const key = pieces.pop();
  if (file === undefined || key === undefined) return undefined;
  try {
    return { name: streamName(literal(pieces.join('/')), literal(key)), file };
  } catch (error) {
    if (error instanceof RejectedError) return undefined;
    throw error;
  }
}

/** A question mark that came encoded is not the beginning of a query, and in no stream's name. */
function literal(text: string): string {
  if (text.includes('?')) throw new RejectedError('BAD_STREAM_NAME', 'the stream name has a question mark');
  return text;
}

async function answer(hls: Hls, { name, file }: Target, request: Request, asker: Asker): Promise<Answer> {
  const isIndex = file === 'index.m3u8';
  const [, rendition = '', init, sequence, part] = FILE.exec(file) ?? [];
  if (!isIndex && rendition === '') return { status: 404 };
  const show: Show | 404 | 503 = await hls.show(name, asker);
  if (typeof show === 'number') return { status: show };
  if (isIndex) return show.multivariant(asker);
  if (init !== undefined) return show.init(rendition, Number(init));
  if (part !== undefined) return show.part(rendition, Number(sequence), Number(part), asker);
  if (sequence !== undefined) return show.segment(rendition, Number(sequence));
  const reload = reloadOf(request);
  return reload === undefined ? { status: 400 } : show.playlist(rendition, reload, asker);
}

/** Delivery directives (RFC 8216bis, 6.2.5); undefined when they make no sense. */
function reloadOf({ url }: Request): Reload | undefined {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const [sequence, part, skip] = ['_HLS_msn', '_HLS_part', '_HLS_skip'].map((name) => query.get(name) ?? undefined);
  const isNumber = (text: string | undefined): boolean => text === undefined || /^\d{1,12}$/.test(text);
  if (!isNumber(sequence) || !isNumber(part) || (part !== undefined && sequence === undefined)) return undefined;
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  return { sequence: number(sequence), part: number(part), skip: skip === 'YES' || skip === 'v2' };
}

function send(request: Request, response: Response, given: Answer): void {
  if (given.status !== 200) return refuse(response, given.status);
  if ('playlist' in given) return sendPlaylist(request, response, given.playlist, given.maxAge);
  const length = given.media.reduce((sum, bytes) => sum + bytes.length, 0);
  response.set({ 'Cache-Control': `public, max-age=${MEDIA_MAX_AGE}, immutable`, 'Content-Length': String(length) });
  response.set('Content-Type', 'video/mp4');
  if (request.method !== 'HEAD') for (const bytes of given.media) response.write(bytes);
  response.end();
}

function refuse(response: Response, status: number): void {
  if (status === 503) response.set('Retry-After', '1');
  response
    .set('Cache-Control', 'no-store')
    .status(status)
    .type('text')
    .send(REASONS[status] ?? '');
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'too far ahead',
  404: 'nothing is published here',
  503: 'nothing new yet',
};

function sendPlaylist(request: Request, response: Response, playlist: SharedText, maxAge: number): void {
  response.set({
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Cache-Control': maxAge === 0 ? 'no-cache' : `public, max-age=${maxAge}`,
    Vary: 'Accept-Encoding',
  });
  const gzipped = request.acceptsEncodings('gzip') === false ? undefined : playlist.gzipped;
  if (gzipped === undefined) return void response.end(playlist.text);
  response.set('Content-Encoding', 'gzip').end(gzipped);
}

/** Players are on pages anywhere. */
function allowAnyOrigin(response: Response): void {
  response.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
    // hls.js lets pages add what they like.
    'Access-Control-Allow-Headers': '*',
    'Access-Control-Expose-Headers': 'Content-Length, Date',
    'Access-Control-Max-Age': '86400',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
}
