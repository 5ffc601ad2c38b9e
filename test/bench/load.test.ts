import { describe, expect, it } from 'vitest';
import { ChunkCounter, encodeMessage, type MessageSeen } from '../../bench/load/chunks.ts';
import { Histogram } from '../../bench/load/histogram.ts';
import { frameOf, stamp } from '../../bench/load/stamp.ts';
import { newTally, StampCheck } from '../../bench/load/tally.ts';
import { median } from '../../bench/measure/rounds.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { seeded } from '../support/random.ts';

const VIDEO = 9;
const HEADER = 12;

/** A stamped picture as chunks, sent at 1,000 µs. */
function picture(sequence: number, length: number, chunkSize: number): Buffer {
  const bytes = encodeMessage(VIDEO, 1, sequence * 40, frameOf(length, false), { id: 6, size: chunkSize });
  stamp(bytes, HEADER, 0, sequence, 1_000);
  return bytes;
}

/** Reads the pieces as one player does, all complete at 3,000 µs. */
function tallyOf(pieces: readonly Buffer[], chunkSize = 128) {
  const tally = newTally();
  const check = new StampCheck(tally);
  const counter = new ChunkCounter((message) => check.take(message, 3_000));
  counter.chunkSize = chunkSize;
  for (const piece of pieces) counter.read(piece, 0, piece.length);
  const { messages, lost, reordered, damaged } = tally;
  return { messages, lost, reordered, damaged };
}

describe('the load generator', () => {
  const stream = [0, 1, 2, 3].map((sequence) => picture(sequence, 1_000 + 137 * sequence, 128));
  const whole = Buffer.concat(stream);
  const sound = { messages: 4, lost: 0, reordered: 0, damaged: 0 };

  it('finds nothing amiss in a sound stream, however it is cut', () => {
    expect(tallyOf([whole])).toEqual(sound);
    expect(tallyOf(byteByByte(whole))).toEqual(sound);
    for (let seed = 1; seed <= 20; seed++) expect(tallyOf(cuts(whole, seeded(seed)))).toEqual(sound);
  });

  it('counts what is missing', () => {
    expect(tallyOf([stream[0]!, stream[3]!])).toEqual({ messages: 2, lost: 2, reordered: 0, damaged: 0 });
  });

  it('counts what comes twice or late', () => {
    expect(tallyOf([stream[0]!, stream[1]!, stream[1]!, stream[0]!])).toMatchObject({ messages: 4, reordered: 2 });
  });

  it('counts a message whose end is not its own, or whose length is not', () => {
    const torn = Buffer.from(stream[2]!);
    torn[torn.length - 1]! ^= 1;
    expect(tallyOf([torn])).toMatchObject({ damaged: 1 });
    const other = frameOf(500, false);
    other.writeUInt32BE(501, 5 + 20);
    expect(tallyOf([encodeMessage(VIDEO, 1, 0, other, { id: 6, size: 128 })])).toMatchObject({ damaged: 1 });
  });

  it('keeps messages apart whose chunks alternate', () => {
    const pieces = (bytes: Buffer) => [bytes.subarray(0, HEADER + 128), bytes.subarray(HEADER + 128)];
    const command = encodeMessage(20, 0, 0, Buffer.alloc(200, 7), { id: 3, size: 128 });
    const [first, rest] = pieces(stream[0]!);
    const [commandFirst, commandRest] = pieces(command);
    const seen: Pick<MessageSeen, 'type' | 'length'>[] = [];
    const counter = new ChunkCounter(({ type, length }) => seen.push({ type, length }));
    for (const piece of [first!, commandFirst!, rest!, commandRest!]) counter.read(piece, 0, piece.length);
    expect(seen).toEqual([
      { type: VIDEO, length: 1_000 },
      { type: 20, length: 200 },
    ]);
  });
});

describe('figures', () => {
  it('tell delays apart to a few per cent', () => {
    const histogram = new Histogram();
    for (let micros = 1; micros <= 10_000; micros++) histogram.add(micros);
    const spread = histogram.spread()!;
    expect(spread.count).toBe(10_000);
    expect(Math.abs(spread.p50 - 5)).toBeLessThan(0.2);
    expect(Math.abs(spread.p99 - 9.9)).toBeLessThan(0.35);
    expect(spread.max).toBe(10);
  });

  it('have a median of odd and even numbers of rounds, and none of none', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, undefined, 2, 3])).toBe(2.5);
    expect(median([undefined])).toBeUndefined();
  });
});
