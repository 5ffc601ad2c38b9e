import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Reads exactly so many bytes and leaves the rest unread. Rejects when the stream ends or fails first. */
export async function takeBytes(stream: Readable, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const piece = stream.read(Math.min(missing, Math.max(1, stream.readableLength))) as Buffer | null;
    if (piece) {
      pieces.push(piece);
      missing -= piece.length;
    } else {
      if (stream.readableEnded || stream.destroyed) throw new Error(`ended ${missing} bytes too early`);
      await eitherEvent(stream, 'readable', 'close');
    }
  }
  return Buffer.concat(pieces);
}

function eitherEvent(stream: Readable, first: string, second: string): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off(first, settle).off(second, settle);
      resolve();
    };
    stream.once(first, settle).once(second, settle);
  });
}

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads to the end, or so many bytes, and tells their number and hash; keeps none. */
export async function digestOf(stream: Readable, length = Infinity): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  const take = (piece: Buffer): void => {
    hash.update(piece);
    bytes += piece.length;
  };
  await new Promise<void>((resolve, reject) => {
    const finish = (): void => {
      stream.off('data', data).off('end', finish).off('error', reject).off('close', finish);
      resolve();
    };
    const data = (piece: Buffer): void => {
      take(piece);
      if (bytes >= length) stream.pause();
      if (bytes >= length) finish();
    };
    stream.on('data', data).on('end', finish).on('error', reject).on('close', finish);
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes pieces as fast as the stream takes them; tells what was written. */
export async function writeAll(stream: Writable, pieces: Iterable<Buffer>): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
    if (!stream.write(piece)) await once(stream, 'drain');
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** `length` bytes in pieces of `pieceBytes`, cheap to make and different everywhere: a lost or moved one shows. */
export function* pattern(length: number, pieceBytes = 64 * 1024, seed = 1): Generator<Buffer> {
  for (let at = 0; at < length; at += pieceBytes) {
    const piece = Buffer.alloc(Math.min(pieceBytes, length - at), `${seed}:${at};`);
    yield piece;
  }
}

/** Resolves once the stream is closed, however that came about; what it still has to say is read and dropped. */
export async function closed(stream: Readable): Promise<void> {
  stream.on('error', () => {}).resume();
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
}
