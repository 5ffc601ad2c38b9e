import { emsgBox, type Cue } from './emsg.ts';

/** As many as `TIMED_DATA_LIMITS` lets into three seconds, which is how far data may be ahead; the oldest go first. */
export const MAX_WAITING_CUES = 100;

/** Cues of one rendition until the part is made that their time is in. */
export class CueQueue {
  #cues: Cue[] = [];

  add(cue: Cue): void {
    this.#cues.push(cue);
    if (this.#cues.length > MAX_WAITING_CUES) this.#cues.shift();
  }

  /** The boxes of a part from `start` to `end`, media time. What came too late for its own part happens at the beginning of this one. */
  take(start: number, end: number): Buffer[] {
    const due = this.#cues.filter(({ at }) => at < end);
    this.#cues = this.#cues.filter(({ at }) => at >= end);
    return due.map((cue) => emsgBox({ ...cue, at: Math.max(cue.at, Math.ceil(start)) }));
  }
}
