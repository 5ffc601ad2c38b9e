import { encodingOf, type Frame } from '../media/index.ts';

/** Larger frames travel as they are: copying them to save a piece of a writev costs more than the piece. */
const MAX_COPIED_BYTES = 64 * 1024;

interface Gathering {
  readonly frames: readonly Frame[];
  readonly streamId: number;
  readonly chunkSize: number;
  readonly pieces: readonly Buffer[];
}

/**
 * Turns the frames due to one player into as few Buffers as possible. Players of a stream are usually due the very same
 * frames, so the last result is kept and shared: one concatenation, then one small write per player.
 */
export class Gatherer {
  #last: Gathering | undefined;

  /** The wire form of `frames` (at least one) for a player with this message stream id and chunk size. */
  gather(frames: readonly Frame[], streamId: number, chunkSize: number): readonly Buffer[] {
    const last = this.#last;
    if (last && last.streamId === streamId && last.chunkSize === chunkSize && sameFrames(last.frames, frames)) {
      return last.pieces;
    }
    const pieces = join(frames.map((frame) => encodingOf(frame, streamId, chunkSize)));
    this.#last = { frames, streamId, chunkSize, pieces };
    return pieces;
  }

  /** Lets go of the last frames, so that an idle stream keeps no memory alive. */
  clear(): void {
    this.#last = undefined;
  }
}

function sameFrames(a: readonly Frame[], b: readonly Frame[]): boolean {
  return a.length === b.length && a.every((frame, index) => frame === b[index]);
}

function join(encodings: readonly Buffer[]): Buffer[] {
  const pieces: Buffer[] = [];
  let run: Buffer[] = [];
  const closeRun = () => {
    if (run.length > 0) pieces.push(run.length === 1 ? run[0]! : Buffer.concat(run));
    run = [];
  };
  for (const encoding of encodings) {
    if (encoding.length > MAX_COPIED_BYTES) {
      closeRun();
      pieces.push(encoding);
    } else run.push(encoding);
  }
  closeRun();
  return pieces;
}
