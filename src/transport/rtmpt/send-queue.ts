/** Written bytes that wait for a request to travel in. Pure; pieces are referenced, not copied, until they leave. */
export class SendQueue {
  readonly #maxSendBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param maxSendBytes the most that one request carries; the queue is full above as much again */
  constructor(maxSendBytes: number) {
    this.#maxSendBytes = maxSendBytes;
  }

  get empty(): boolean {
    return this.#bytes === 0;
  }

  /** More than a request's worth waits: let whoever writes wait too. */
  get full(): boolean {
    return this.#bytes > this.#maxSendBytes;
  }

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** Removes the next request's body: everything that waits, up to the cap. */
  take(): Buffer {
    const taken: Buffer[] = [];
    let room = this.#maxSendBytes;
    let used = 0;
    for (let piece = this.#pieces[0]; piece && room > 0; piece = this.#pieces[used]) {
      const part = piece.subarray(0, room);
      taken.push(part);
      room -= part.length;
      if (part.length === piece.length) used++;
      else this.#pieces[used] = piece.subarray(part.length);
    }
    this.#pieces.splice(0, used);
    this.#bytes -= this.#maxSendBytes - room;
    return Buffer.concat(taken);
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
