import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { LimitError, ProtocolError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { AnswerWriter } from './answer-writer.ts';
import { isPost, OwedAnswers } from './owed.ts';
import type { Owed } from './owed.ts';
import { parseTarget } from './paths.ts';
import { Post } from './post.ts';
import type { Engine } from './post.ts';
import type { RefusalStatus } from './reply.ts';
import { RequestReader } from './request-reader.ts';
import type { RequestSink } from './request-reader.ts';
import { refusal } from './tunnels.ts';
import type { Flushable, HttpPeer, Stoppable, TunnelRequest, Tunnels } from './tunnels.ts';
import type { Sleeper } from './wheel.ts';
import type { HeadReader } from './wire.ts';

export interface TunnelConnectionDependencies {
  readonly tunnels: Tunnels;
  readonly log: Log;
  /** Takes a connection that asks for something else: the real socket, paused, every byte of that request still in it. */
  readonly handOver: (socket: Socket | TLSSocket) => void;
  /** Called once, at the first request that opens a session or belongs to one. */
  readonly validRequest?: () => void;
}

/** Serves RTMPT on a connection until it ends, or until a request that is not the tunnel's is handed over. */
export function serveTunnelConnection(
  socket: Socket | TLSSocket,
  peer: HttpPeer,
  deps: TunnelConnectionDependencies,
): void {
  new TunnelConnection(socket, peer, deps).start();
}

/** A read that fills Node's buffer: more waits in the kernel, maybe with a reset behind it ... */
const FULL_READ = 64 * 1024;
/** ... for which answers are put off, but not for ever: at most so many turns. */
const MAX_PUT_OFF = 32;

/**
 * One socket that speaks the tunnel's own HTTP. It reads on while its own writes are blocked, since a librtmp publisher
 * never reads an answer: Node's own server stops reading then, and such a stream freezes after some 21,000 posts
 * (measured). What is owed meanwhile is counted, and made only when the socket takes it.
 */
class TunnelConnection implements RequestSink, Engine, Flushable, Stoppable, Sleeper {
  wakeAt = Infinity;
  bed: Set<Sleeper> | undefined;
  readonly #socket: Socket | TLSSocket;
  readonly #peer: HttpPeer;
  readonly #deps: TunnelConnectionDependencies;
  readonly #tunnels: Tunnels;
  readonly #reader: RequestReader;
  readonly #owed = new OwedAnswers();
  readonly #writer: AnswerWriter;
  /** Since when the rest of a head has been awaited. */
  #headSince: number;
  /** The request whose body is being read. */
  #current: Owed | undefined;
  /** The current post, if its answer may begin before its body is here. */
  #early: Post | undefined;
  /** The socket goes to somebody else when nothing is owed any more. */
  #isLeaving = false;
  /** No further request is read: what comes is thrown away. */
  #isClosing = false;
  #closeBy = Infinity;
  #isEnded = false;
  #isGone = false;
  #isCoreFull = false;
  #isPaused = false;
  #isValid = false;
  #wantsFlush = false;
  #isFullRead = false;
  #putOff = 0;
  /** When bytes last came or went. */
  #activeAt: number;

  constructor(socket: Socket | TLSSocket, peer: HttpPeer, deps: TunnelConnectionDependencies) {
    this.#socket = socket;
    this.#peer = peer;
    this.#deps = deps;
    this.#tunnels = deps.tunnels;
    this.#reader = new RequestReader(this, deps.tunnels.options.maxHeadBytes);
    this.#writer = new AnswerWriter(socket, this.#owed, () => this.wake());
    this.#activeAt = this.#headSince = deps.tunnels.now();
  }

  start(): void {
    const socket = this.#socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    this.#tunnels.enter(this);
    this.#tunnels.schedule(this, this.#headSince + this.#tunnels.options.headTimeoutMs);
    if (socket.destroyed) this.#onClose();
  }

  // Reading ---------------------------------------------------------------------------------------------------------

  readonly #onData = (bytes: Buffer): void => {
    this.#activeAt = this.#tunnels.now();
    if (bytes.length >= FULL_READ) this.#isFullRead = true;
    if (this.#isClosing) return;
    try {
      this.#reader.read(bytes);
    } catch (fault) {
      this.#fail(fault);
    }
    this.#watch();
    this.wake();
  };

  /** Whatever has begun has to come to its end in time. */
  #watch(): void {
    const { headTimeoutMs, bodyTimeoutMs } = this.#tunnels.options;
    if (this.#reader.isAmidBody) this.#tunnels.schedule(this, this.#activeAt + bodyTimeoutMs);
    if (!this.#reader.isAmidHead) return;
    if (this.#headSince === Infinity) this.#headSince = this.#activeAt;
    this.#tunnels.schedule(this, this.#headSince + headTimeoutMs);
  }

  head(head: HeadReader, rest: () => Buffer): void {
    this.#headSince = Infinity;
    const target = parseTarget(head.target);
    if (target === undefined || head.chunked || head.unusual) return this.#prepareHandOver(rest());
    const { method, persistent, contentLength } = head;
    const length = contentLength < 0 ? undefined : contentLength;
    const request: TunnelRequest = { method, target, length, persistent, forwarded: () => forwardedBy(head) };
    const outcome = this.#tunnels.receive(request, this.#peer, this);
    if (outcome instanceof Post) this.#beginPost(outcome, head.ffmpeg && !head.proxied);
    else this.#beginReply({ reply: outcome, complete: false, before: 0 });
  }

  #beginPost(post: Post, isFfmpeg: boolean): void {
    this.#owed.push(post);
    this.#current = post;
    this.#validate();
    if (!isFfmpeg) return;
    const isAlone = this.#owed.runs === 1 && post.before === 0;
    if (isAlone && post.fresh && post.inOrder && post.tunnel.isLive) this.#early = post;
  }

  #beginReply(owed: Exclude<Owed, Post>): void {
    this.#owed.push(owed);
    this.#current = owed;
    const { status, persistent, body } = owed.reply;
    if (status === 200 && body !== '') this.#validate();
    // A refusal: neither its body nor what comes behind it is looked at.
    if (status !== 200 && !persistent) this.#closeSoon();
  }

  #validate(): void {
    if (this.#isValid) return;
    this.#isValid = true;
    this.#deps.validRequest?.();
  }

  body(bytes: Buffer): void {
    const current = this.#current!;
    if (!isPost(current) || current.tunnel.body(current, bytes, this.#activeAt)) return;
    this.#isCoreFull = true;
    this.#pause();
  }

  complete(): void {
    const current = this.#current!;
    this.#current = this.#early = undefined;
    if (isPost(current)) current.tunnel.complete(current, this.#activeAt);
    else current.complete = true;
    const persistent = isPost(current) ? current.persistent : current.reply.persistent;
    if (!persistent) this.#stopReading();
    else if (this.#owed.runs >= this.#tunnels.options.maxRuns) this.#pause();
  }

  #fail(fault: unknown): void {
    if (!(fault instanceof ProtocolError)) {
      // Ours: it ends this connection and hides nothing.
      this.#deps.log.error({ err: fault, address: this.#peer.address }, 'reading a tunnel connection failed');
      return this.#refuse(500);
    }
    this.#tunnels.complain(fault, this.#peer.address);
    this.#refuse(fault instanceof LimitError ? 431 : 400);
  }

  // Back-pressure ---------------------------------------------------------------------------------------------------

  resume(): void {
    this.#isCoreFull = false;
    this.#activeAt = this.#tunnels.now();
    this.#maybeResume();
  }

  #pause(): void {
    if (this.#isPaused || this.#isClosing) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #maybeResume(): void {
    if (!this.#isPaused || this.#isLeaving) return;
    const isBlocked = this.#isCoreFull || this.#owed.runs >= this.#tunnels.options.maxRuns;
    if (isBlocked && !this.#isClosing) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  // Writing ---------------------------------------------------------------------------------------------------------

  wake(): void {
    if (this.#wantsFlush || this.#isGone) return;
    this.#wantsFlush = true;
    this.#tunnels.flushLater(this);
  }

  flush(now: number): void {
    this.#wantsFlush = false;
    if (this.#isGone || this.#isEnded) return;
    if (this.#isFullRead && this.#putOff < MAX_PUT_OFF) return this.#flushNextTurn();
    this.#isFullRead = false;
    this.#putOff = 0;
    this.#writer.flush(now, this.#early);
    this.#afterFlush(now);
  }

  #flushNextTurn(): void {
    this.#isFullRead = false;
    this.#putOff += 1;
    this.wake();
  }

  #afterFlush(now: number): void {
    if (this.#writer.isLast) this.#dropOwed();
    if (this.#owed.runs > 0 || this.#isGone) return this.#maybeResume();
    if (this.#isLeaving) return this.#handOver();
    if (this.#isClosing || this.#writer.isLast) this.#end(now);
    else this.#maybeResume();
  }

  #dropOwed(): void {
    for (const post of this.#owed.posts()) post.tunnel.abandon(post);
    this.#owed.clear();
    this.#current = this.#early = undefined;
  }

  readonly #onDrain = (): void => {
    this.#activeAt = this.#tunnels.now();
    this.wake();
  };

  // Closing ---------------------------------------------------------------------------------------------------------

  /** Everything is answered: our side ends, theirs is read on for a while, or a reset could overtake the answer. */
  #end(now: number): void {
    this.#isEnded = true;
    this.#stopReading();
    this.#isCoreFull = false;
    this.#maybeResume();
    this.#socket.end();
    this.#closeBy = Math.min(this.#closeBy, now + this.#tunnels.options.lingerMs);
    this.#tunnels.schedule(this, this.#closeBy);
  }

  /** The request that is being read, or the next one, is refused; nothing behind it will be looked at. */
  #refuse(status: RefusalStatus): void {
    const current = this.#current;
    if (current !== undefined && isPost(current)) {
      if (current.early > 0) return this.destroy();
      current.tunnel.abandon(current);
    }
    if (current === undefined) this.#owed.push({ reply: refusal(status), complete: true, before: 0 });
    else this.#owed.replaceLast(refusal(status));
    this.#closeSoon();
  }

  /** The last answer is decided. A publisher that reads no answer notices nothing but the close, so that has a limit. */
  #closeSoon(): void {
    this.#stopReading();
    this.#closeBy = Math.min(this.#closeBy, this.#tunnels.now() + this.#tunnels.options.lingerMs);
    this.#tunnels.schedule(this, this.#closeBy);
    this.#release();
    this.#maybeResume();
  }

  #stopReading(): void {
    this.#isClosing = true;
    this.#reader.stop();
    this.#current = this.#early = undefined;
    this.#headSince = Infinity;
  }

  /** Nothing of this connection is held any longer. */
  #release(): void {
    for (const post of this.#owed.posts()) post.released = true;
    this.wake();
  }

  stop(): void {
    if (this.#current !== undefined || this.#isLeaving) return void (this.#closeBy = this.#stopBy());
    if (!this.#isClosing) this.#closeSoon();
  }

  /** A request that is half here may still be answered. */
  #stopBy(): number {
    const by = this.#tunnels.now() + this.#tunnels.options.lingerMs;
    this.#tunnels.schedule(this, by);
    return by;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The client ended its side, which says nothing about whether it still reads. */
  readonly #onEnd = (): void => {
    if (this.#isClosing) return;
    if (this.#current !== undefined || this.#reader.isAmidHead) this.#refuse(400);
    else this.#closeSoon();
  };

  readonly #onClose = (): void => {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#current !== undefined && isPost(this.#current)) this.#current.tunnel.abandon(this.#current);
    this.#dropOwed();
    this.#writer.close();
    this.#leave();
  };

  #leave(): void {
    this.#tunnels.cancel(this);
    this.#tunnels.leave(this);
  }

  // Handing over ----------------------------------------------------------------------------------------------------

  /** What was read goes back at once: once a FIN has been seen behind it, Node takes nothing back any more. */
  #prepareHandOver(rest: Buffer): void {
    this.#isLeaving = true;
    this.#reader.stop();
    this.#isPaused = true;
    this.#socket.pause();
    this.#socket.unshift(rest);
    this.#release();
  }

  #handOver(): void {
    // What its writes come to matters to the tunnel, and only we would notice.
    if (this.#writer.isUnsure) return;
    const socket = this.#socket;
    this.#isGone = true;
    this.#leave();
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('close', this.#onClose);
    socket.off('error', ignore);
    this.#deps.handOver(socket);
  }

  // Time ------------------------------------------------------------------------------------------------------------

  tick(now: number): void {
    const { headTimeoutMs, bodyTimeoutMs } = this.#tunnels.options;
    if (now >= this.#closeBy) return this.destroy();
    if (now >= this.#headSince + headTimeoutMs) this.#refuse(408);
    else if (this.#isStalled() && now >= this.#activeAt + bodyTimeoutMs) this.#refuse(408);
    else if (now >= this.#activeAt + this.#tunnels.restMs) this.#retire();
    const body = this.#isStalled() ? this.#activeAt + bodyTimeoutMs : Infinity;
    const rest = Math.max(this.#activeAt + this.#tunnels.restMs, now + 1);
    this.#tunnels.schedule(this, Math.min(this.#closeBy, this.#headSince + headTimeoutMs, body, rest));
  }

  /** A body is awaited, and it is not we who keep it waiting. */
  #isStalled(): boolean {
    return this.#reader.isAmidBody && !this.#isPaused;
  }

  /** Neither a request came, nor did the client take an answer, for longer than anybody should keep a connection. */
  #retire(): void {
    if (this.#owed.runs > 0) this.destroy();
    else if (!this.#isClosing) this.#closeSoon();
  }
}

function forwardedBy(head: HeadReader): ReturnType<TunnelRequest['forwarded']> {
  return {
    xForwardedFor: head.field('x-forwarded-for'),
    forwarded: head.field('forwarded'),
    proto: head.field('x-forwarded-proto'),
  };
}

function ignore(): void {}
