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
import { refusal } from './tunnels.ts';
import type { Flushable, HttpPeer, Stoppable, TunnelRequest, Tunnels } from './tunnels.ts';
import type { Sleeper } from './wheel.ts';
import { HeadReader } from './wire.ts';

export interface TunnelConnectionDependencies {
  readonly tunnels: Tunnels;
  readonly log: Log;
  /** Takes a connection that asks for something else: the untouched socket and the bytes that are already read. */
  readonly handOver: (socket: Socket | TLSSocket, rest: Buffer) => void;
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

const CR = 0x0d;
const LF = 0x0a;
/** A read that fills Node's buffer: more waits in the kernel, maybe with a reset behind it ... */
const FULL_READ = 64 * 1024;
/** ... for which answers are put off, but not for ever: at most so many turns. */
const MAX_PUT_OFF = 32;

/**
 * One socket that speaks the tunnel's own HTTP. It reads on while its own writes are blocked, since a librtmp publisher
 * never reads an answer: Node's own server stops reading then, and such a stream freezes after some 21,000 posts
 * (measured). What is owed meanwhile is counted, and made only when the socket takes it.
 */
class TunnelConnection implements Engine, Flushable, Stoppable, Sleeper {
  wakeAt = Infinity;
  bed: Set<Sleeper> | undefined;
  readonly #socket: Socket | TLSSocket;
  readonly #peer: HttpPeer;
  readonly #deps: TunnelConnectionDependencies;
  readonly #tunnels: Tunnels;
  readonly #head: HeadReader;
  readonly #owed = new OwedAnswers();
  readonly #writer: AnswerWriter;
  /** The beginning of a head whose end is not here yet; since when one has been awaited. */
  #partial: Buffer | undefined;
  #headSince: number;
  /** The request whose body is being read, and how much of it is to come. */
  #current: Owed | undefined;
  #bodyLeft = 0;
  /** The current post, if its answer may begin before its body is here. */
  #early: Post | undefined;
  /** Bytes that are to go to somebody else, with the socket, when nothing is owed any more. */
  #rest: Buffer | undefined;
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
    this.#head = new HeadReader(deps.tunnels.options.maxHeadBytes);
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
      this.#read(bytes);
    } catch (fault) {
      this.#fail(fault);
    }
    this.wake();
  };

  #read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isClosing && this.#rest === undefined) {
      if (this.#current !== undefined) at = this.#readBody(bytes, at);
      else if (this.#partial !== undefined) at = this.#readPartial(bytes, this.#partial, at);
      else at = this.#readHead(bytes, at);
    }
  }

  #readHead(bytes: Buffer, start: number): number {
    let at = start;
    // Some old clients send a line break after the body (RFC 9112, 2.2).
    while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at += 1;
    if (at === bytes.length) return at;
    const end = this.#head.read(bytes, at);
    if (end >= 0) return this.#begin(bytes, at, end);
    this.#partial = Buffer.from(bytes.subarray(at));
    this.#headSince = this.#activeAt;
    this.#tunnels.schedule(this, this.#headSince + this.#tunnels.options.headTimeoutMs);
    return bytes.length;
  }

  #readPartial(bytes: Buffer, before: Buffer, start: number): number {
    const joined = Buffer.concat([before, bytes.subarray(start)]);
    // Only the end of a line can complete a head: a head in one-byte segments is not read anew for each of them.
    const mayEnd = bytes.includes(LF, start) || joined.length > this.#tunnels.options.maxHeadBytes;
    const end = mayEnd ? this.#head.read(joined, 0) : -1;
    this.#partial = end < 0 ? joined : undefined;
    return end < 0 ? bytes.length : start + this.#begin(joined, 0, end) - before.length;
  }

  /** A head is complete. Returns where its body begins. */
  #begin(bytes: Buffer, start: number, end: number): number {
    const head = this.#head;
    this.#headSince = Infinity;
    const target = parseTarget(head.target);
    if (target === undefined || head.chunked || head.unusual) return this.#prepareHandOver(bytes, start);
    const length = head.contentLength < 0 ? undefined : head.contentLength;
    const { method, persistent } = head;
    const request: TunnelRequest = { method, target, length, persistent, forwarded: this.#forwarded };
    const outcome = this.#tunnels.receive(request, this.#peer, this);
    if (outcome instanceof Post) this.#beginPost(outcome);
    else this.#beginReply({ reply: outcome, complete: false, before: 0 });
    if (this.#isClosing) return end;
    this.#bodyLeft = length ?? 0;
    if (this.#bodyLeft === 0) this.#completeBody();
    return end;
  }

  #beginPost(post: Post): void {
    this.#owed.push(post);
    this.#current = post;
    this.#validate();
    if (!this.#head.ffmpeg || this.#head.proxied) return;
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

  readonly #forwarded = (): ReturnType<TunnelRequest['forwarded']> => ({
    xForwardedFor: this.#head.field('x-forwarded-for'),
    forwarded: this.#head.field('forwarded'),
    proto: this.#head.field('x-forwarded-proto'),
  });

  #readBody(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#bodyLeft);
    const current = this.#current!;
    this.#bodyLeft -= end - start;
    if (isPost(current) && !current.tunnel.body(current, bytes.subarray(start, end), this.#activeAt)) {
      this.#isCoreFull = true;
      this.#pause();
    }
    if (this.#bodyLeft === 0) this.#completeBody();
    else this.#tunnels.schedule(this, this.#activeAt + this.#tunnels.options.bodyTimeoutMs);
    return end;
  }

  #completeBody(): void {
    const current = this.#current!;
    this.#current = this.#early = undefined;
    if (isPost(current)) current.tunnel.complete(current, this.#activeAt);
    else current.complete = true;
    const persistent = isPost(current) ? current.persistent : current.reply.persistent;
    if (!persistent) this.#isClosing = true;
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
    if (!this.#isPaused || this.#rest !== undefined) return;
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
    this.#writer.flush(now, this.#bodyLeft > 0 ? this.#early : undefined);
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
    if (this.#rest !== undefined) return this.#handOver(this.#rest);
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
    this.#isEnded = this.#isClosing = true;
    this.#isCoreFull = false;
    this.#maybeResume();
    this.#socket.end();
    this.#closeBy = Math.min(this.#closeBy, now + this.#tunnels.options.lingerMs);
    this.#tunnels.schedule(this, this.#closeBy);
  }

  /** The request that is being read, or the next one, is refused; nothing behind it will be looked at. */
  #refuse(status: RefusalStatus): void {
    const { current } = this.#giveUpCurrent();
    if (current !== undefined && isPost(current) && current.early) return this.destroy();
    if (current === undefined) this.#owed.push({ reply: refusal(status), complete: true, before: 0 });
    else this.#owed.replaceLast(refusal(status));
    this.#closeSoon();
  }

  #giveUpCurrent(): { current: Owed | undefined } {
    const current = this.#current;
    this.#current = this.#early = this.#partial = undefined;
    this.#headSince = Infinity;
    if (current !== undefined && isPost(current)) current.tunnel.abandon(current);
    return { current };
  }

  /** The last answer is decided. A publisher that reads no answer notices nothing but the close, so that has a limit. */
  #closeSoon(): void {
    this.#isClosing = true;
    this.#current = this.#early = this.#partial = undefined;
    this.#closeBy = Math.min(this.#closeBy, this.#tunnels.now() + this.#tunnels.options.lingerMs);
    this.#tunnels.schedule(this, this.#closeBy);
    this.#release();
    this.#maybeResume();
  }

  /** Nothing of this connection is held any longer. */
  #release(): void {
    for (const post of this.#owed.posts()) post.released = true;
    this.wake();
  }

  stop(): void {
    if (this.#current !== undefined || this.#rest !== undefined) return void (this.#closeBy = this.#stopBy());
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
    if (this.#current !== undefined || this.#partial !== undefined) this.#refuse(400);
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

  #prepareHandOver(bytes: Buffer, start: number): number {
    this.#rest = bytes.subarray(start);
    this.#isPaused = true;
    this.#socket.pause();
    this.#release();
    return bytes.length;
  }

  #handOver(rest: Buffer): void {
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
    this.#deps.handOver(socket, rest);
  }

  // Time ------------------------------------------------------------------------------------------------------------

  tick(now: number): void {
    const { headTimeoutMs, bodyTimeoutMs } = this.#tunnels.options;
    if (now >= this.#closeBy) return this.destroy();
    if (now >= this.#headSince + headTimeoutMs) this.#refuse(408);
    else if (this.#isStalled() && now >= this.#activeAt + bodyTimeoutMs) this.#refuse(408);
    else if (now >= this.#activeAt + this.#tunnels.keepAliveMs) this.#retire();
    const body = this.#isStalled() ? this.#activeAt + bodyTimeoutMs : Infinity;
    const rest = Math.max(this.#activeAt + this.#tunnels.keepAliveMs, now + 1);
    this.#tunnels.schedule(this, Math.min(this.#closeBy, this.#headSince + headTimeoutMs, body, rest));
  }

  /** A body is awaited, and it is not we who keep it waiting. */
  #isStalled(): boolean {
    return this.#current !== undefined && this.#bodyLeft > 0 && !this.#isPaused;
  }

  /** Neither a request came, nor did the client take an answer, for longer than anybody should keep a connection. */
  #retire(): void {
    if (this.#owed.runs > 0) this.destroy();
    else if (!this.#isClosing) this.#closeSoon();
  }
}

function ignore(): void {}
