import type { ServerResponse } from 'node:http';
import { Router } from 'express';
import type { NextFunction, Request, Response } from 'express';
import { RejectedError } from '../../errors.ts';
import { pathOf, streamName, type Hub, type StreamName } from '../../hub/index.ts';
import { NO_LOG, redactKey, type Log } from '../../log.ts';
import { FlvClient } from './client.ts';
import { FLV_DEFAULTS, type FlvOptions } from './options.ts';

/** On every answer: any page may play, nobody may keep, and a proxy is to pass it on as it comes (nginx reads the last one). */
const HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

const PREFLIGHT_HEADERS = {
  ...HEADERS,
  'Access-Control-Allow-Methods': 'GET, HEAD',
  // mpegts.js and flv.js let pages add what they like.
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Max-Age': '86400',
};

/** `?gop=0`: begin at the next keyframe, as RTMP players may ask. */
const DECLINES_GOP = /[?&]gop=0(?:&|$)/;

const SUFFIX = '.flv';

/**
 * `GET /flv/APP/STREAM.flv`: the stream as one FLV file without end, beginning with the last group of pictures as for RTMP
 * players. `HEAD` tells whether somebody publishes it at this moment.
 */
export function flvRouter(
  hub: Hub,
  options: Partial<FlvOptions> = {},
  log: Log = NO_LOG,
  addressOf: (request: Request) => string | undefined = ({ socket }) => socket.remoteAddress,
): Router {
  const settings = { ...FLV_DEFAULTS, ...options };
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/flv/*path')
    .head((request, response, next) => {
      const name = nameIn(request);
      if (name === undefined || !isPublished(hub, name)) return absent(response, next);
      response.writeHead(200, { ...HEADERS, 'Content-Type': 'video/x-flv' }).end();
    })
    .get((request, response, next) => {
      const name = nameIn(request);
      if (name === undefined) return absent(response, next);
      const player = log.child({
        app: name.app,
        stream: redactKey(name.key),
        scheme: 'http-flv',
        address: addressOf(request),
      });
      play(name, request, response, { hub, settings, log: player, notFound: next });
    })
    .options((_, response) => void response.writeHead(204, PREFLIGHT_HEADERS).end())
    .all((_, response) => void response.set({ Allow: 'GET, HEAD' }).status(405).end());
  return router;
}

interface Play {
  readonly hub: Hub;
  readonly settings: FlvOptions;
  readonly log: Log;
  readonly notFound: NextFunction;
}

/** A page of another site may know that, too. */
function absent(response: Response, next: NextFunction): void {
  response.set('Access-Control-Allow-Origin', '*');
  next('route');
}

function play(name: StreamName, request: Request, response: Response, { hub, settings, log, notFound }: Play): void {
  const isAbsent = (): void => absent(response, notFound);
  const head = (): ServerResponse => response.writeHead(200, { ...HEADERS, 'Content-Type': 'video/x-flv' });
  const client = new FlvClient(response, settings, { head, isAbsent, log });
  try {
    client.start(hub, name, !DECLINES_GOP.test(request.originalUrl));
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    isAbsent();
  }
}

/** The path is decoded by segments, so that `%2F` and `%3F` in a name can be told from what structures the address. */
function nameIn(request: Request): StreamName | undefined {
  const segments = (request.params as { readonly path?: unknown }).path;
  if (!Array.isArray(segments)) return undefined;
  const path = segments.map(String);
  const last = path.pop() ?? '';
  if (!last.endsWith(SUFFIX) || [...path, last].some((segment) => segment.includes('?'))) return undefined;
  try {
    return streamName(path.join('/'), last.slice(0, -SUFFIX.length));
  } catch (error) {
    if (error instanceof RejectedError) return undefined;
    throw error;
  }
}

function isPublished(hub: Hub, name: StreamName): boolean {
  for (const stream of hub.streams()) if (stream.publishing && pathOf(stream.name) === pathOf(name)) return true;
  return false;
}
