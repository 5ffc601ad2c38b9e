import { expect } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { CHUNK_READER_LIMITS, ChunkReader } from '../../src/protocol/chunk-reader.ts';
import type { ChunkReaderLimits } from '../../src/protocol/chunk-reader.ts';
import type { Message } from '../../src/protocol/message.ts';
import { byteByByte, cuts } from './feed.ts';
import { hex } from './fixture.ts';
import { seeded } from './random.ts';

/** So many bytes of payload as hex digits. */
export const fill = (bytes: number, byte = 'aa'): string => byte.repeat(bytes);

/** Messages read, and the code of the fault that ended it. */
export interface Outcome {
  messages: Message[];
  fault: string | undefined;
}

/** Feeds one reader piece by piece; overwrites the pieces. */
export function readPieces(pieces: readonly Buffer[], limits?: ChunkReaderLimits): Outcome {
  const reader = new ChunkReader(limits);
  const messages: Message[] = [];
  try {
    for (const piece of pieces) {
      reader.read(piece, messages);
      // The caller's buffer is used again: nothing of it may be kept.
      piece.fill(0);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { messages, fault: error.code };
  }
  return { messages, fault: undefined };
}

/** Reads the bytes whole, byte by byte and at random cuts, which must all come to the same. */
export function readEveryWay(digits: string, limits?: Partial<ChunkReaderLimits>): Outcome {
  const bytes = hex(digits);
  const all = { ...CHUNK_READER_LIMITS, ...limits };
  const outcome = readPieces([Buffer.from(bytes)], all);
  expect(readPieces(byteByByte(bytes), all)).toEqual(outcome);
  for (let seed = 0; seed < 10; seed++) expect(readPieces(cuts(bytes, seeded(seed)), all)).toEqual(outcome);
  return outcome;
}

/** The messages of bytes that hold no fault, however they are cut. */
export function readAll(digits: string, limits?: Partial<ChunkReaderLimits>): Message[] {
  const { messages, fault } = readEveryWay(digits, limits);
  expect(fault).toBeUndefined();
  return messages;
}

/** Payload bytes of each message. */
export const lengths = (messages: readonly Message[]): number[] => messages.map((message) => message.payload.length);
