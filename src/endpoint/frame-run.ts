import { encodingOf, type Frame } from '../media/index.ts';

/** Larger frames travel as they are: copying them to save a piece of a writev costs more than the piece. */
const MAX_COPIED_BYTES = 64 * 1024;

/** A whole header in the usual form; what makes frames without payload count. */
const HEADER_BYTES = 12;

/** A run in the form it is sent in. */
interface Wire {
  readonly streamId: number;
  readonly chunkSize: number;
  readonly pieces: readonly Buffer[];
}

/**
 * Frames that are due to a player, oldest first; never changed, only continued.
 *
 * Players of a stream are nearly always due the very same frames. A run remembers how it was continued last, so players
 * that got the same frames since the same start hold the same object: being due one more frame costs a player one
 * comparison, and joining the frames into one Buffer is done once for all of them.
 */
export class FrameRun {
  /** About what they take on the wire; 0 for the empty run only. */
  readonly bytes: number;
  readonly #before: FrameRun | undefined;
  readonly #last: Frame | undefined;
  #next: FrameRun | undefined = undefined;
  #wire: Wire | undefined = undefined;

  /** Without arguments: the empty run, where those begin that are to share. */
  constructor(before?: FrameRun, last?: Frame) {
    this.#before = before;
    this.#last = last;
    this.bytes = before === undefined || last === undefined ? 0 : before.bytes + HEADER_BYTES + last.payload.length;
  }

  /** This run and then `frame`: the very same object for everyone who says so in a row. */
  plus(frame: Frame): FrameRun {
    const next = this.#next;
    if (next !== undefined && next.#last === frame) return next;
    return (this.#next = new FrameRun(this, frame));
  }

  /** Lets go of the last continuation, so that an idle stream keeps no frames alive. */
  forget(): void {
    this.#next = undefined;
  }

  frames(): Frame[] {
    const frames: Frame[] = [];
    for (let run: FrameRun = this; run.#before !== undefined; run = run.#before) frames.push(run.#last!);
    return frames.reverse();
  }

  /** What goes on the wire to a player with this message stream id and chunk size, in as few Buffers as make sense. */
  encoded(streamId: number, chunkSize: number): readonly Buffer[] {
    const wire = this.#wire;
    if (wire !== undefined && wire.streamId === streamId && wire.chunkSize === chunkSize) return wire.pieces;
    const pieces = join(this.frames().map((frame) => encodingOf(frame, streamId, chunkSize)));
    this.#wire = { streamId, chunkSize, pieces };
    return pieces;
  }
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
