import { expect } from 'vitest';
import { run } from './programs.ts';

/** The packets of one elementary stream, in order: "dts size hash" as ffmpeg's framemd5 prints them. */
export interface Packets {
  readonly video: readonly string[];
  readonly audio: readonly string[];
}

/** Writes `seconds` of H.264 and AAC, with a picture and a tone that never repeat, to an FLV file. */
export async function makeSource(
  file: string,
  seconds: number,
  options: { fps?: number; rate?: string } = {},
): Promise<void> {
  const { fps = 30, rate = '500k' } = options;
  const { code, stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=320x240:rate=${fps}`],
    ...['-f', 'lavfi', '-i', 'aevalsrc=sin(440*2*PI*t*t):s=44100', '-t', String(seconds)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(fps), '-b:v', rate, '-c:a', 'aac', '-b:a', '96k'],
    ...['-f', 'flv', file],
  ]).finished;
  if (code !== 0) throw new Error(`ffmpeg could not make a source: ${stderr}`);
}

/** The packets of a file. */
export async function packetsOf(file: string): Promise<Packets> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-c', 'copy', '-f', 'framemd5', '-']).finished;
  return parseFrameHashes(stdout.toString());
}

/** Reads ffmpeg's framemd5 output: stream, dts, pts, duration, size, hash; stream 0 is the video. */
export function parseFrameHashes(text: string): Packets {
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const fields = rows.map((row) => row.split(',').map((field) => field.trim()));
  const of = (stream: string) =>
    fields.filter((row) => row[0] === stream).map((row) => `${row[1]} ${row[4]} ${row[5]}`);
  return { video: of('0'), audio: of('1') };
}

/**
 * Fails unless `received` is `source` from its first packet on, nothing changed, nothing missing in between; `lost` packets
 * may be absent at the very end.
 */
export function expectUnchanged(received: Packets, source: Packets, lost: number): void {
  const total = (packets: Packets) => packets.video.length + packets.audio.length;
  expect(received.video).toEqual(source.video.slice(0, received.video.length));
  expect(received.audio).toEqual(source.audio.slice(0, received.audio.length));
  expect(total(received)).toBeGreaterThanOrEqual(total(source) - lost);
}
