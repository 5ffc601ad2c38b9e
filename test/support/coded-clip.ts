import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input, type InputTrack } from 'mediabunny';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { run } from './programs.ts';

/** What a publisher of Enhanced RTMP would send of a file that FFmpeg made. */
export interface CodedClip {
  readonly file: string;
  readonly headers: readonly Frame[];
  readonly frames: readonly Frame[];
}

const FOURCC: Readonly<Record<string, string>> = {
  avc: 'avc1',
  hevc: 'hvc1',
  av1: 'av01',
  vp9: 'vp09',
  aac: 'mp4a',
  opus: 'Opus',
  flac: 'fLaC',
  mp3: '.mp3',
  ac3: 'ac-3',
  eac3: 'ec-3',
};
const COMPOSED = new Set(['avc1', 'hvc1']);

/** Encodes two seconds with FFmpeg into MP4, and puts the packets into messages of Enhanced RTMP. */
export async function makeCodedClip(
  file: string,
  video: readonly string[],
  audio: readonly string[],
): Promise<CodedClip> {
  const { code, stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25', '-f', 'lavfi'],
    ...['-i', 'sine=440:sample_rate=48000', '-t', '2', ...video, ...audio, '-f', 'mp4', file],
  ]).finished;
  if (code !== 0) throw new Error(`ffmpeg could not make a clip: ${stderr}`);
  const input = new Input({ source: new FilePathSource(file), formats: ALL_FORMATS });
  const headers: Frame[] = [];
  const frames: Frame[] = [];
  for (const track of await input.getTracks()) {
    const { header, messages } = await messagesOf(track);
    if (header !== undefined) headers.push(header);
    frames.push(...messages);
  }
  frames.sort((a, b) => a.timestamp - b.timestamp);
  return { file, headers, frames };
}

async function messagesOf(track: InputTrack) {
  const type = track.isVideoTrack() ? 9 : 8;
  const codec = FOURCC[(await track.getCodec()) ?? '']!;
  const config = await (
    track as unknown as { getDecoderConfig(): Promise<{ description?: Uint8Array }> }
  ).getDecoderConfig();
  const record = recordOf(codec, config.description);
  const header = record && frame(type, 0, first(type, true, 0), codec, record);
  const packets: { data: Uint8Array; key: boolean; pts: number }[] = [];
  for await (const { data, type: kind, timestamp } of new EncodedPacketSink(track as never).packets()) {
    packets.push({ data, key: kind === 'key', pts: Math.max(0, Math.round(timestamp * 1000)) });
  }
  const decoded = packets.map(({ pts }) => pts).sort((a, b) => a - b);
  // Pictures are shown some time after they are decoded, as FFmpeg has it in FLV.
  const delay = Math.max(0, ...packets.map(({ pts }, index) => decoded[index]! - pts));
  const messages = packets.map(({ data, key, pts }, index) => {
    const composition = Buffer.alloc(COMPOSED.has(codec) ? 3 : 0);
    if (composition.length > 0) composition.writeIntBE(pts + delay - decoded[index]!, 0, 3);
    const isComposed = composition.length > 0;
    return frame(
      type,
      decoded[index]!,
      first(type, key, 1),
      codec,
      Buffer.concat(isComposed ? [composition, data] : [data]),
    );
  });
  return { header, messages };
}

const WITHOUT_RECORD: readonly string[] = ['av01', 'vp09', '.mp3', 'ac-3', 'ec-3'];

/** AV1 and VP9 come without one here: their first keyframe says the same. Opus's is made whole again by its name. */
function recordOf(codec: string, description: Uint8Array | undefined): Buffer | undefined {
  if (WITHOUT_RECORD.includes(codec) || description === undefined) return undefined;
  return Buffer.from(description);
}

function first(type: number, key: boolean, packet: number): number {
  return type === 9 ? 0x80 | ((key ? 1 : 2) << 4) | packet : 0x90 | packet;
}

function frame(type: number, timestamp: number, byte: number, codec: string, body: Buffer): Frame {
  const payload = Buffer.concat([Buffer.from([byte]), Buffer.from(codec), body]);
  return frameFromMessage({ type, streamId: 1, timestamp, payload });
}
