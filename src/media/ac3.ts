import type { AudioConfig } from './audio-config.ts';

const SYNC = 0x0b77;
const RATES = [48000, 44100, 32000];
/** Full-bandwidth channels by `acmod`. */
const CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
const LAST_AC3 = 8;
const [FIRST_EAC3, LAST_EAC3] = [11, 16];
const BLOCK_SAMPLES = 256;
/** By `numblkscod`. */
const BLOCKS = [1, 2, 3, 6];
const DEPENDENT = 1;
/** As much of a sync frame as tells what it is, and enough for the muxer to make its box of. */
const HEAD_BYTES = 16;

/** Reads the head of an AC-3 sync frame (ETSI TS 102 366, 4.3 and 4.4): six blocks in each, and no record in RTMP. */
export function ac3Config(frame: Buffer | undefined): AudioConfig | undefined {
  if (frame === undefined || frame.length < 8 || frame.readUInt16BE(0) !== SYNC) return undefined;
  const rate = RATES[frame[4]! >> 6];
  const mode = frame[6]! >> 5;
  if (rate === undefined || frame[5]! >> 3 > LAST_AC3) return undefined;
  return {
    ...{ codec: 'ac3', codecString: 'ac-3', sampleRate: rate, channels: CHANNELS[mode]! + lowFrequency(frame, mode) },
    ...{ description: Buffer.from(frame.subarray(0, HEAD_BYTES)), packetSamples: 6 * BLOCK_SAMPLES },
  };
}

/** Behind `acmod` are two bits each for the levels of centre, surround and Dolby Surround, where there is such a thing. */
function lowFrequency(frame: Buffer, mode: number): number {
  const levels = ((mode & 1) !== 0 && mode !== 1 ? 2 : 0) + ((mode & 4) !== 0 ? 2 : 0) + (mode === 2 ? 2 : 0);
  return (frame.readUInt16BE(6) >> (12 - levels)) & 1;
}

/** Reads the head of an E-AC-3 sync frame (ETSI TS 102 366, E.1.2.2); channels of dependent substreams are not counted. */
export function eac3Config(frame: Buffer | undefined): AudioConfig | undefined {
  const head = frame && syncFrame(frame, 0);
  if (head === undefined || head.isDependent) return undefined;
  const mode = (frame![4]! >> 1) & 7;
  return {
    ...{ codec: 'eac3', codecString: 'ec-3', sampleRate: head.rate, channels: CHANNELS[mode]! + (frame![4]! & 1) },
    ...{ description: Buffer.from(frame!.subarray(0, HEAD_BYTES)), packetSamples: 0 },
  };
}

/** Samples in an E-AC-3 packet: those of the sync frames of its first programme. */
export function eac3Samples(packet: Buffer): number {
  let blocks = 0;
  let at = 0;
  for (let head = syncFrame(packet, at); head !== undefined; head = syncFrame(packet, at)) {
    if (!head.isDependent && head.substream === 0) blocks += head.blocks;
    at += head.size;
  }
  return Math.min(Math.max(blocks, 1), 6) * BLOCK_SAMPLES;
}

interface SyncFrame {
  readonly isDependent: boolean;
  readonly substream: number;
  readonly size: number;
  readonly rate: number;
  readonly blocks: number;
}

function syncFrame(bytes: Buffer, at: number): SyncFrame | undefined {
  if (bytes.length < at + 6 || bytes.readUInt16BE(at) !== SYNC) return undefined;
  const id = bytes[at + 5]! >> 3;
  const [code, half] = [bytes[at + 4]! >> 6, (bytes[at + 4]! >> 4) & 3];
  const rate = code === 3 ? (RATES[half] ?? 0) / 2 : RATES[code]!;
  if (id < FIRST_EAC3 || id > LAST_EAC3 || rate === 0) return undefined;
  return {
    isDependent: bytes[at + 2]! >> 6 === DEPENDENT,
    substream: (bytes[at + 2]! >> 3) & 7,
    size: ((bytes.readUInt16BE(at + 2) & 0x7ff) + 1) * 2,
    rate,
    blocks: code === 3 ? 6 : BLOCKS[half]!,
  };
}
