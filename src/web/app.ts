import { STATUS_CODES } from 'node:http';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response, Router } from 'express';
import type { Log } from '../log.ts';
import { ACME_CHALLENGE_PATH, AcmeChallenges } from './acme.ts';
import { mediaAddresses, visitedHost } from './addresses.ts';
import type { WebDoor } from './addresses.ts';
import { crossdomainPolicy, homePage, statusPage } from './pages.ts';
import { CONTENT_SECURITY_POLICY } from './style.ts';
import { watchRouter } from './watch-router.ts';

export interface WebAppOptions {
  /** Domains whose Flash pages may connect (`*` for all); null: there is no policy file. */
  readonly crossdomain: readonly string[] | null;
  /**
   * The folder in which an ACME client leaves its answers, below `.well-known/acme-challenge/`, as certbot's `-w`, lego's
   * `--http.webroot` and acme.sh's `-w` mean it; null: nothing is served there.
   */
  readonly acmeWebroot?: string | null;
}

/** What may be had on the door that a request came through. */
export interface Access {
  readonly tunnel: boolean;
  readonly web: boolean;
}

export interface WebAppDependencies {
  /** Serves the tunnel's requests that arrive on a connection of the web server; passes all others on. */
  readonly tunnels: Router;
  /** The gateway is stopping and takes nothing new. */
  readonly draining: () => boolean;
  /** Streams for devices and pages: routers with whole paths of their own. */
  readonly delivery?: readonly Router[];
  /** The doors that are open now, for the addresses on the page. */
  readonly doors: () => readonly WebDoor[];
  readonly log: Log;
  /** Everything is allowed when this is left out. */
  readonly accessOf?: (request: Request) => Access;
  /** Serves `/hls`; without it there is no page to watch either. */
  readonly hls?: Router | undefined;
}

/** On every answer but the tunnel's, whose heads have to stay short. */
const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  // What the page says depends on the Host header and on which doors are open.
  'Cache-Control': 'no-store',
};

/** The public web: the page at `/`, health, the Flash policy, and the way into the tunnel for what came by here. */
export function createWebApp(options: WebAppOptions, dependencies: WebAppDependencies): Express {
  const { accessOf = () => ({ tunnel: true, web: true }), tunnels, log } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use((request, response, next) => (accessOf(request).tunnel ? tunnels(request, response, next) : next()));
  app.use(prepare);
  app.use((request, response, next) => (accessOf(request).web ? next() : sendStatus(response, 404)));
  if (dependencies.hls !== undefined) {
    app.use('/hls', dependencies.hls);
    app.use(watchRouter());
  }
  addPages(app, options, dependencies);
  for (const router of dependencies.delivery ?? []) app.use(router);
  app.use((_, response) => sendStatus(response, 404));
  app.use(failed(log));
  return app;
}

function addPages(app: Express, options: WebAppOptions, { draining, doors, hls, log }: WebAppDependencies): void {
  const { crossdomain, acmeWebroot = null } = options;
  get(app, '/', (request, response) => {
    response.type('html').send(homePage(mediaAddresses(visitedBy(request), doors()), hls !== undefined));
  });
  get(app, '/healthz', (_, response) => {
    response
      .status(draining() ? 503 : 200)
      .type('text')
      .send(draining() ? 'draining' : 'ok');
  });
  if (acmeWebroot !== null) addChallenges(app, new AcmeChallenges(acmeWebroot, log));
  if (crossdomain === null) return;
  const policy = crossdomainPolicy(crossdomain);
  get(app, '/crossdomain.xml', (_, response) => void response.type('text/x-cross-domain-policy').send(policy));
}

/** Also while draining: a renewal that falls into a restart should not fail for it. */
function addChallenges(app: Express, challenges: AcmeChallenges): void {
  get(app, `${ACME_CHALLENGE_PATH}/:token`, async (request, response) => {
    const answer = await challenges.answer(String(request.params.token));
    if (answer === undefined) sendStatus(response, 404);
    else response.type('text').send(answer);
  });
}

/** Routes GET and HEAD; other methods are told so. */
function get(app: Express, path: string, handler: RequestHandler): void {
  app
    .route(path)
    .get(handler)
    .all((_, response) => {
      response.set('Allow', 'GET, HEAD');
      sendStatus(response, 405);
    });
}

/** A body that nobody here reads would have to be waited for before the connection's next request: it ends instead. */
function prepare(request: Request, response: Response, next: () => void): void {
  response.set(HEADERS);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody) response.set('Connection', 'close');
  next();
}

function sendStatus(response: Response, status: number): void {
  response
    .status(status)
    .type('html')
    .send(statusPage(status, STATUS_CODES[status] ?? ''));
}

function visitedBy(request: Request) {
  const { socket, headers } = request;
  // Only what the visitor is shown depends on this, so that any proxy, or the visitor himself, may say it.
  const secure = 'encrypted' in socket || headers['x-forwarded-proto'] === 'https';
  return visitedHost(headers.host, secure, {
    address: socket.localAddress ?? 'localhost',
    port: socket.localPort ?? 80,
  });
}

/** The one place where a request's error ends: the client's fault is told to it, ours is logged with its stack. */
function failed(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = clientStatus(error) ?? 500;
    if (status === 500) log.error({ err: error, method: request.method }, 'a web request failed');
    if (response.headersSent) request.socket.destroy();
    else sendStatus(response, status);
  };
}

/** Express and its router mark what the client did wrong (a path that is no UTF-8) with a status of 4xx. */
function clientStatus(error: unknown): number | undefined {
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
