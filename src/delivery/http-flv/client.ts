import type { ServerResponse } from 'node:http';
import type { Hub, Outbox, StreamName, Subscriber, Subscription } from '../../hub/index.ts';
import type { Log } from '../../log.ts';
import { flvHeader, flvTagOf, type Frame } from '../../media/index.ts';
import type { FlvOptions } from './options.ts';

/** The most that is taken from the queue at once: a connection that stalls then holds little that could still be dropped. */
const MAX_TAKE_BYTES = 64 * 1024;

const HEADER = flvHeader();

export interface FlvClientEnds {
  /** Sends the head of the answer. */
  readonly head: () => void;
  /** Nobody came to publish the stream in time; nothing has been sent yet. */
  readonly isAbsent: () => void;
  readonly log: Log;
}

/**
 * One HTTP player: takes frames from the hub into its queue and writes them as FLV tags as fast as its connection takes them.
 * The answer's head waits for the first frame. The times are the connection's own idle time-out, which Node keeps anyway.
 */
export class FlvClient implements Subscriber {
  readonly #response: ServerResponse;
  readonly #options: FlvOptions;
  readonly #ends: FlvClientEnds;
  #subscription: Subscription | undefined;
  #outbox: Outbox | undefined;
  #early: Frame[] = [];
  #isScheduled = false;
  #isStarted = false;
  #isOver = false;
  #bytes = 0;

  constructor(response: ServerResponse, options: FlvOptions, ends: FlvClientEnds) {
    this.#response = response;
    this.#options = options;
    this.#ends = ends;
  }

  /** Joins the stream. Throws `RejectedError` HUB_STOPPED. */
  start(hub: Hub, name: StreamName, gop: boolean): void {
    const subscription = hub.subscribe(name, this, { gop });
    this.#subscription = subscription;
    this.#outbox = subscription.createOutbox(this.#options.outbox);
    for (const frame of this.#early) this.#outbox.push(frame);
    this.#early = [];
    this.#response.on('timeout', () => this.#timedOut());
    this.#response.on('drain', () => this.#send());
    this.#response.on('error', () => {});
    this.#response.on('close', () => this.#closed());
    if (!this.#isStarted) this.#response.setTimeout(this.#options.waitMs);
  }

  deliver(frame: Frame): void {
    if (this.#outbox === undefined) this.#early.push(frame);
    else this.#outbox.push(frame);
    this.#schedule();
  }

  /** The stream's times go on, and its headers come again: nothing that a file could say. */
  published(): void {}

  unpublished(): void {
    this.#isOver = true;
    this.#schedule();
  }

  /** Once for all frames of what the publisher's connection read in one go. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const outbox = this.#outbox;
    if (outbox === undefined || this.#subscription === undefined) return;
    if (!this.#isStarted && outbox.frames > 0) this.#begin();
    while (outbox.frames > 0 && !this.#response.writableNeedDrain) {
      for (const frame of outbox.take(MAX_TAKE_BYTES)) this.#write(flvTagOf(frame));
    }
    if (this.#isOver && outbox.frames === 0) this.#finish();
  }

  #begin(): void {
    this.#isStarted = true;
    this.#response.setTimeout(this.#options.stallMs);
    this.#ends.head();
    this.#write(HEADER);
    this.#ends.log.info({}, 'playing');
  }

  #write(bytes: Buffer): void {
    this.#bytes += bytes.length;
    this.#response.write(bytes);
  }

  #finish(): void {
    if (!this.#isStarted) return this.#giveUp();
    this.#leave();
    this.#response.end();
  }

  #giveUp(): void {
    this.#leave();
    this.#ends.isAbsent();
  }

  /** A connection that is idle because the publisher is silent is nobody's fault. */
  #timedOut(): void {
    if (this.#subscription === undefined) {
      if (this.#isStarted) this.#response.destroy();
      return;
    }
    if (!this.#isStarted) return this.#giveUp();
    if (!this.#response.writableNeedDrain) return;
    this.#ends.log.info({ code: 'PEER_STALLED' }, 'the player took nothing any more');
    this.#response.destroy();
  }

  #closed(): void {
    if (this.#isStarted) this.#ends.log.info(this.#counts(), 'playing ended');
    this.#leave();
  }

  #counts(): object {
    return { bytes: this.#bytes, ...(this.#outbox!.dropped > 0 && { dropped: this.#outbox!.dropped }) };
  }

  #leave(): void {
    this.#subscription?.end();
    this.#subscription = undefined;
    this.#outbox?.clear();
  }
}
