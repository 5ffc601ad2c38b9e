import type { MessageSeen } from './chunks.ts';
import { Histogram } from './histogram.ts';
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

/** Looks at the stamps of one stream as one player gets it. It may begin anywhere. */
export class StampCheck {
  readonly #tally: Tally;
  #expected = -1;

  /** The number of the picture that comes next, -1 before the first. */
  get expected(): number {
    return this.#expected;
  }

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** Counts a message that was complete at `now` (µs). False when it bears no stamp: metadata, configurations. */
  take(message: Pick<MessageSeen, 'length' | 'head' | 'lastByte'>, now: number): boolean {
    const { head, length, lastByte } = message;
    if (length < STAMP_BYTES || !isStamped(head)) return false;
    const tally = this.#tally;
    const sequence = sequenceOf(head);
    if (lengthOf(head) !== length || lastByte !== (sequence & 0xff)) tally.damaged += 1;
    if (this.#expected >= 0 && sequence > this.#expected) tally.lost += sequence - this.#expected;
    if (sequence < this.#expected) tally.reordered += 1;
    else this.#expected = sequence + 1;
    tally.messages += 1;
    tally.bytes += length;
    tally.delay.add(now - sentAt(head));
    return true;
  }
}
