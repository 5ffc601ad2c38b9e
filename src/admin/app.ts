import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RelayInfo, RelayRule } from '../relay/index.ts';
import { listen } from '../transport/index.ts';
import { readRule } from './relay-rule.ts';
import { bringsToken, isForThisMachine } from './token.ts';

export interface AdminOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What a request has to bring as `Authorization: Bearer …`; null: nothing, and then only this machine is answered. */
  readonly token: string | null;
}

export interface AdminDependencies {
  readonly relays: {
    list(): readonly RelayInfo[];
    add(rule: RelayRule): string;
    remove(id: string): boolean;
  };
  readonly log: Log;
}

/** More rules than anybody writes; each costs a look at every stream that comes. */
const MAX_RULES = 1000;

/** A rule with its most and longest URLs has 64 KiB; who sends as many certificates has fewer of these. */
const MAX_BODY = '80kb';

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
};

/** The listener for those who run the gateway: its API in JSON. */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: Server;

  constructor(options: AdminOptions, dependencies: AdminDependencies) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, adminApp(options, dependencies));
  }

  /** Resolves with the port. Rejects with `ConfigError` CANNOT_LISTEN. */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    return (await listen(this.#server, { host, port })).port;
  }

  /** Requests under way are answered. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    await closed;
  }

  destroy(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function adminApp({ token }: AdminOptions, { relays, log }: AdminDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use((_, response, next) => (response.set(HEADERS), next()));
  app.use((request, response, next) => {
    const { authorization, host } = request.headers;
    if (token === null ? isForThisMachine(host) : bringsToken(authorization, token)) return next();
    response.set('WWW-Authenticate', 'Bearer');
    say(response, token === null ? 403 : 401, 'NOT_ALLOWED', 'this is for those who run the gateway');
  });
  addRelays(app, relays, log);
  app.use((_, response) => say(response, 404, 'NOT_FOUND', 'there is nothing here'));
  app.use(failed(log));
  return app;
}

function addRelays(app: Express, relays: AdminDependencies['relays'], log: Log): void {
  const all = app.route('/api/v1/relays');
  all.get((_, response) => void response.json({ relays: relays.list() }));
  // Nothing but JSON: a form on a page elsewhere can send anything else without asking.
  all.post(express.json({ limit: MAX_BODY }), (request: Request, response: Response) => {
    if (!request.is('application/json')) return say(response, 415, 'NOT_JSON', 'expected application/json');
    if (relays.list().length >= MAX_RULES) return say(response, 409, 'TOO_MANY_RULES', `${MAX_RULES} rules are enough`);
    const read = readRule(request.body);
    if ('fault' in read) return say(response, 400, 'BAD_RELAY', read.fault);
    const id = relays.add(read.rule);
    log.info({ relay: id }, 'a relay was added');
    response.status(201).location(`/api/v1/relays/${id}`).json({ id });
  });
  const one = app.route('/api/v1/relays/:id');
  one.get((request, response) => {
    const found = relays.list().find(({ id }) => id === request.params.id);
    if (found === undefined) say(response, 404, 'NOT_FOUND', 'there is no such relay');
    else response.json(found);
  });
  one.delete((request, response) => {
    if (!relays.remove(request.params.id)) return say(response, 404, 'NOT_FOUND', 'there is no such relay');
    log.info({ relay: request.params.id }, 'a relay was removed');
    response.status(204).end();
  });
  for (const [route, methods] of [
    [all, 'GET, HEAD, POST'],
    [one, 'GET, HEAD, DELETE'],
  ] as const) {
    route.all((_, response) => (response.set('Allow', methods), say(response, 405, 'METHOD', `expected ${methods}`)));
  }
}

function say(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ error: { code, message } });
}

/** A rule that cannot be followed is the asker's fault, and so is what Express marks with a status of 4xx. */
function failed(log: Log): ErrorRequestHandler {
  return (error: unknown, _, response, _next) => {
    if (error instanceof ConfigError) return say(response, 400, error.code, error.message);
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
    if (status >= 400 && status < 500) return say(response, status, 'BAD_REQUEST', 'the request cannot be understood');
    log.error({ err: error }, 'an admin request failed');
    say(response, 500, 'FAILED', 'this went wrong here');
  };
}
