import type { MessageSeen } from './chunks.ts';
import { nowMicros } from './clock.ts';
import { Histogram } from './histogram.ts';
import { RtmpClient, type Wish } from './rtmp-client.ts';
import { isStamped, lengthOf, sentAt, sequenceOf, STAMP_BYTES } from './stamp.ts';

/** What all players of a run count together. */
export interface Tally {
  messages: number;
  bytes: number;
  lost: number;
  reordered: number;
  damaged: number;
  readonly delay: Histogram;
  disconnected: number;
  readonly reasons: Set<string>;
}

export function newTally(): Tally {
  const zero = { messages: 0, bytes: 0, lost: 0, reordered: 0, damaged: 0, disconnected: 0 };
  return { ...zero, delay: new Histogram(), reasons: new Set() };
}

/** Plays one stream and looks at each stamp. */
export class Player {
  /** When the first stamped message was complete. */
  firstMediaAt = 0;
  readonly client: RtmpClient;
  readonly #tally: Tally;
  readonly #joined: () => void;
  #expected = -1;

  constructor(wish: Wish, tally: Tally, joined: () => void) {
    this.#tally = tally;
    this.#joined = joined;
    this.client = new RtmpClient(wish, {
      ready: () => {},
      media: (message) => this.#media(message),
      lost: (reason) => {
        tally.disconnected += 1;
        tally.reasons.add(reason);
      },
    });
  }

  #media(message: MessageSeen): void {
    if (message.length < STAMP_BYTES || !isStamped(message.head)) return;
    const now = nowMicros();
    const tally = this.#tally;
    const sequence = sequenceOf(message.head);
    if (lengthOf(message.head) !== message.length || message.lastByte !== (sequence & 0xff)) tally.damaged += 1;
    if (this.#expected >= 0 && sequence > this.#expected) tally.lost += sequence - this.#expected;
    if (sequence < this.#expected) tally.reordered += 1;
    else this.#expected = sequence + 1;
    tally.messages += 1;
    tally.bytes += message.length;
    tally.delay.add(now - sentAt(message.head));
    if (this.firstMediaAt > 0) return;
    this.firstMediaAt = now;
    this.#joined();
  }
}
