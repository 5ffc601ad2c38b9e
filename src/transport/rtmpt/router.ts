import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Flight } from './delivery.ts';
import { parseTarget } from './paths.ts';
import type { Target } from './paths.ts';
import { Post } from './post.ts';
import type { Engine } from './post.ts';
import { headFields, reasonOf } from './reply.ts';
import type { Status } from './reply.ts';
import type { Tunnel } from './tunnel.ts';
import type { Fixed, Flushable, HttpPeer, TunnelRequest, Tunnels } from './tunnels.ts';
import type { Sleeper } from './wheel.ts';

/**
 * Tunnel requests that arrive on a connection of the web server: chunked ones, those with `Expect`, and what a reverse
 * proxy sends over its pooled connections. The same answers as from the tunnel's own engine, byte for byte.
 */
export function tunnelRouter(tunnels: Tunnels, peerOf: (request: Request) => HttpPeer): Router {
  const router = Router();
  router.use((request, response, next) => {
    const target = parseTarget(request.originalUrl);
    if (target === undefined) return next();
    new TunnelExchange(tunnels, request, response).begin(target, peerOf(request));
  });
  return router;
}

/** One request and its answer. */
class TunnelExchange implements Engine, Flushable, Sleeper {
  wakeAt = Infinity;
  bed: Set<Sleeper> | undefined;
  readonly #tunnels: Tunnels;
  readonly #request: Request;
  readonly #response: Response;
  #post: Post | undefined;
  /** Payload on its way, until the kernel has it or the connection is gone. */
  #onItsWay: { readonly flight: Flight; readonly tunnel: Tunnel } | undefined;
  #wantsFlush = false;
  /** When bytes of the body last came, or when a refusal has been read on for long enough. */
  #activeAt: number;
  #closeBy = Infinity;

  constructor(tunnels: Tunnels, request: Request, response: Response) {
    this.#tunnels = tunnels;
    this.#request = request;
    this.#response = response;
    this.#activeAt = tunnels.now();
  }

  begin(target: Target, peer: HttpPeer): void {
    const response = this.#response;
    response.once('finish', () => this.#finished());
    response.once('close', () => this.#closed());
    const outcome = this.#tunnels.receive(this.#describe(target), peer, this);
    if (outcome instanceof Post) return this.#readBody(outcome);
    if (isRefusal(outcome)) return this.#refuse(outcome.status);
    this.#request.resume();
    this.#request.once('end', () => this.#reply(outcome));
  }

  #describe(target: Target): TunnelRequest {
    const { method, headers } = this.#request;
    return {
      method,
      target,
      length: this.#bodyLength(),
      persistent: this.#isPersistent(),
      forwarded: () => ({
        xForwardedFor: joined(headers['x-forwarded-for']),
        forwarded: joined(headers['forwarded']),
        proto: joined(headers['x-forwarded-proto']),
      }),
    };
  }

  #bodyLength(): number | undefined {
    const { headers } = this.#request;
    if (headers['transfer-encoding'] !== undefined) return Infinity;
    return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  }

  #isPersistent(): boolean {
    const { httpVersionMinor, headers } = this.#request;
    const options = (headers.connection ?? '').toLowerCase().split(/[ \t]*,[ \t]*/);
    if (options.includes('close') || !this.#response.shouldKeepAlive) return false;
    return httpVersionMinor === 1 || options.includes('keep-alive');
  }

  // The body --------------------------------------------------------------------------------------------------------

  #readBody(post: Post): void {
    this.#post = post;
    const { maxBodyBytes, bodyTimeoutMs } = this.#tunnels.options;
    this.#request.on('data', (bytes: Buffer) => {
      this.#activeAt = this.#tunnels.now();
      if (post.offset + bytes.length > maxBodyBytes) return this.#giveUp(413);
      if (this.#post !== undefined && !post.tunnel.body(post, bytes, this.#activeAt)) this.#request.pause();
    });
    this.#request.once('end', () => {
      if (this.#post === undefined) return;
      this.#tunnels.cancel(this);
      post.tunnel.complete(post, this.#tunnels.now());
      this.wake();
    });
    this.#tunnels.schedule(this, this.#activeAt + bodyTimeoutMs);
  }

  resume(): void {
    this.#activeAt = this.#tunnels.now();
    this.#request.resume();
  }

  #giveUp(status: 408 | 413): void {
    if (this.#post === undefined) return;
    this.#abandon();
    this.#refuse(status);
  }

  #abandon(): void {
    this.#post?.tunnel.abandon(this.#post);
    this.#post = undefined;
  }

  tick(now: number): void {
    if (now >= this.#closeBy) return void this.#response.end();
    const { bodyTimeoutMs } = this.#tunnels.options;
    if (this.#post === undefined || this.#post.complete) return;
    if (this.#request.isPaused()) this.#activeAt = now;
    if (now >= this.#activeAt + bodyTimeoutMs) return this.#giveUp(408);
    this.#tunnels.schedule(this, this.#activeAt + bodyTimeoutMs);
  }

  destroy(): void {
    this.#request.socket.destroy();
  }

  // The answer ------------------------------------------------------------------------------------------------------

  wake(): void {
    if (this.#wantsFlush || this.#post === undefined) return;
    this.#wantsFlush = true;
    this.#tunnels.flushLater(this);
  }

  flush(now: number): void {
    this.#wantsFlush = false;
    const post = this.#post;
    if (post === undefined || !post.complete) return;
    const answer = post.tunnel.answer(post, now);
    if (answer === undefined) return;
    this.#post = undefined;
    if (answer.status !== 200) return this.#refuse(answer.status);
    const { interval, chunks, bytes, flight } = answer;
    if (flight !== undefined) this.#onItsWay = { flight, tunnel: post.tunnel };
    this.#writeHead(200, post.persistent, bytes + 1);
    this.#response.end(Buffer.concat([Buffer.of(interval), ...chunks], bytes + 1));
  }

  #reply({ status, persistent, body }: Fixed): void {
    this.#writeHead(status, persistent, body.length);
    this.#response.end(body, 'latin1');
  }

  /** The answer leaves at once, but the connection is closed only when the client has said all, or some time later. */
  #refuse(status: Status): void {
    this.#writeHead(status, false, 0);
    this.#response.flushHeaders();
    this.#request.resume();
    if (this.#request.complete) return void this.#response.end();
    this.#request.once('end', () => this.#response.end());
    this.#closeBy = this.#tunnels.now() + this.#tunnels.options.lingerMs;
    this.#tunnels.schedule(this, this.#closeBy);
  }

  /** Raw, so that nothing is added: no Date, nothing of Express. */
  #writeHead(status: Status, persistent: boolean, length: number): void {
    const response = this.#response;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.sendDate = false;
    response.writeHead(status, reasonOf(status), headFields(status, persistent, length).flat());
  }

  /** The kernel has the whole answer, unless Node says so because it has given up a closed socket. */
  #finished(): void {
    if (this.#request.socket.destroyed) return;
    this.#onItsWay?.tunnel.landed(this.#onItsWay.flight);
    this.#onItsWay = undefined;
  }

  #closed(): void {
    this.#tunnels.cancel(this);
    this.#abandon();
    this.#onItsWay?.tunnel.lost(this.#onItsWay.flight);
    this.#onItsWay = undefined;
  }
}

function isRefusal({ status, persistent }: Fixed): boolean {
  return status !== 200 && !persistent;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
