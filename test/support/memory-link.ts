import { Duplex } from 'node:stream';
import { nextPeerId } from '../../src/transport/index.ts';
import type { Dial, Handler } from '../../src/transport/index.ts';

/** One end of a pair: what is written here is read there, as over a socket, but at once and without a kernel's buffers. */
class MemoryEnd extends Duplex {
  peer!: MemoryEnd;
  #written: (() => void) | undefined;

  override _read(): void {
    this.peer.#peerReads();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const { peer } = this;
    if (peer.destroyed) return done(new Error('the other end is gone'));
    // A copy: over a real transport nobody shares memory with the other side.
    if (peer.push(Buffer.from(bytes))) done();
    else this.#written = done;
  }

  override _final(done: () => void): void {
    this.peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished && !this.peer.destroyed) this.peer.push(null);
    this.peer.#fail();
    done(error);
  }

  #peerReads(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  /** Whoever waits for the other end to read waits in vain now. */
  #fail(): void {
    if (this.#written) this.destroy(new Error('the other end is gone'));
  }
}

/** Two ends of one stream. Each may end its own direction alone. */
export function memoryPair(): [Duplex, Duplex] {
  const [left, right] = [new MemoryEnd(), new MemoryEnd()];
  left.peer = right;
  right.peer = left;
  return [left, right];
}

/** A dial that leads straight to a handler, without a network. */
export function memoryDial(handler: Handler): Dial {
  return async (signal) => {
    signal.throwIfAborted();
    const [client, server] = memoryPair();
    handler(server, { scheme: 'rtmp', secure: false, address: '127.0.0.1', port: 1935, id: nextPeerId() });
    return client;
  };
}
