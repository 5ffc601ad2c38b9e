import type { AudioConfig } from './audio-config.ts';

const STREAMINFO_BYTES = 34;
const MARK = Buffer.from('fLaC');
/** The head of a metadata block: the last one, STREAMINFO, of 34 bytes. */
const ONLY_STREAMINFO = Buffer.from([0x80, 0, 0, STREAMINFO_BYTES]);
const SYNC = 0x3ffe;

/** STREAMINFO (RFC 9639, 8.2), behind the stream's mark and the block's head or without them: senders differ. */
export function flacConfig(record: Buffer | undefined): AudioConfig | undefined {
  const info = record && streamInfo(record);
  if (info === undefined) return undefined;
  const sampleRate = info.readUIntBE(10, 3) >> 4;
  const [least, most] = [info.readUInt16BE(0), info.readUInt16BE(2)];
  if (sampleRate === 0 || most === 0) return undefined;
  return {
    codec: 'flac',
    codecString: 'fLaC',
    sampleRate,
    channels: ((info[12]! >> 1) & 7) + 1,
    description: Buffer.concat([MARK, ONLY_STREAMINFO, info]),
    packetSamples: least === most ? most : 0,
  };
}

function streamInfo(record: Buffer): Buffer | undefined {
  const start = record.subarray(0, 4).equals(MARK) ? 4 : 0;
  const hasHead = record.length >= start + 4 && (record[start]! & 127) === 0 && record.readUIntBE(start + 1, 3) === 34;
  const info = record.subarray(hasHead ? start + 4 : start);
  return info.length < STREAMINFO_BYTES || (start === 4 && !hasHead) ? undefined : info.subarray(0, STREAMINFO_BYTES);
}

/** Samples in a FLAC frame (RFC 9639, 9.1); 0 if it is none. */
export function flacSamples(frame: Buffer): number {
  if (frame.length < 5 || frame.readUInt16BE(0) >> 2 !== SYNC) return 0;
  const code = frame[2]! >> 4;
  if (code === 1) return 192;
  if (code >= 2 && code <= 5) return 144 << code;
  if (code >= 8) return 1 << code;
  const at = 4 + codedLength(frame[4]!);
  if (code === 0 || frame.length < at + code - 5) return 0;
  return frame.readUIntBE(at, code - 5) + 1;
}

/** Bytes of the number of the frame or sample, which is coded like a character of UTF-8. */
function codedLength(first: number): number {
  let ones = 0;
  while (ones < 7 && (first & (0x80 >> ones)) !== 0) ones++;
  return Math.max(1, ones);
}
