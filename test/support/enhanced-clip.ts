import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input, type EncodedPacket } from 'mediabunny';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { run } from './programs.ts';

/** FFmpeg's arguments for each FourCC: encoders that Debian has, made quick. */
const VIDEO = {
  avc1: ['libx264', '-preset', 'ultrafast'],
  hvc1: ['libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=none'],
  av01: ['libsvtav1', '-preset', '12'],
  vp09: ['libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
} as const;
const AUDIO = {
  mp4a: ['aac'],
  Opus: ['libopus'],
  fLaC: ['flac', '-strict', '-2'],
  '.mp3': ['libmp3lame'],
  'ac-3': ['ac3'],
  'ec-3': ['eac3'],
} as const;
/** Their packets say all there is to know; they come without a record. */
const SELF_DESCRIBING: readonly string[] = ['.mp3', 'ac-3', 'ec-3'];

export interface ClipKind {
  readonly video?: keyof typeof VIDEO;
  readonly audio?: keyof typeof AUDIO;
  readonly seconds: number;
  readonly size?: string;
  /** B-frames, where the encoder makes them when it is let. */
  readonly bframes?: number;
  /** Pictures a second, as FFmpeg takes it. */
  readonly fps?: string;
  /** The distance of keyframes, in pictures. */
  readonly gop?: number;
  /** FFmpeg's name of the transfer characteristics. */
  readonly transfer?: string;
  /** Samples a second, and how many channels. */
  readonly sampleRate?: number;
  readonly channels?: number;
}

/** Encodes with FFmpeg and turns the packets into messages of Enhanced RTMP, in the order in which a publisher sends them. */
export async function enhancedClip(folder: string, kind: ClipKind): Promise<Frame[]> {
  const file = join(folder, `${kind.video}-${kind.audio}.mp4`);
  const { code, stderr } = await run('ffmpeg', encoding(kind, file)).finished;
  if (code !== 0) throw new Error(stderr);
  const input = new Input({ source: new BufferSource(readFileSync(file)), formats: ALL_FORMATS });
  const headers: Frame[] = [];
  const frames: { readonly at: number; readonly frame: Frame }[] = [];
  const video = await input.getPrimaryVideoTrack();
  if (kind.video !== undefined && video !== null) {
    const config = await video.getDecoderConfig();
    headers.push(message(9, 0, [0x90, ...fourCc(kind.video)], record(kind.video, config?.description)));
    const packets = await all(new EncodedPacketSink(video).packets());
    const times = packets.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
    for (const [index, packet] of packets.entries()) {
      const at = Math.round(times[index]! * 1000);
      frames.push({ at, frame: videoMessage(kind.video, packet, at) });
    }
  }
  const audio = await input.getPrimaryAudioTrack();
  if (kind.audio !== undefined && audio !== null) {
    const config = await audio.getDecoderConfig();
    if (!SELF_DESCRIBING.includes(kind.audio)) {
      headers.push(message(8, 0, [0x90, ...fourCc(kind.audio)], Buffer.from(view(config?.description))));
    }
    const packets = await all(new EncodedPacketSink(audio).packets());
    // What an encoder sends before its sound begins would be before the beginning of time: all of it is moved by that.
    const early = Math.max(0, -(packets[0]?.timestamp ?? 0));
    for (const packet of packets) {
      const at = Math.round((packet.timestamp + early) * 1000);
      frames.push({ at, frame: message(8, at, [0x91, ...fourCc(kind.audio)], Buffer.from(packet.data)) });
    }
  }
  return [...headers, ...frames.sort((a, b) => a.at - b.at).map(({ frame }) => frame)];
}

function encoding(kind: ClipKind, file: string): string[] {
  const { video, audio, seconds, size = '320x240', bframes = 0, fps = '30', gop = 30, transfer } = kind;
  const { sampleRate = 48_000, channels = 1 } = kind;
  const inputs = [
    ...(video === undefined ? [] : ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}`]),
    ...(audio === undefined ? [] : ['-f', 'lavfi', '-i', `sine=440:sample_rate=${sampleRate}`]),
  ];
  const b = video === 'avc1' || video === 'hvc1' ? ['-bf', String(bframes)] : [];
  const colour =
    transfer === undefined ? [] : ['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc'];
  const outputs = [
    ...(video === undefined ? [] : ['-c:v', ...VIDEO[video], ...b, '-g', String(gop), '-b:v', '500k', ...colour]),
    ...(video === undefined ? [] : ['-pix_fmt', 'yuv420p']),
    ...(audio === undefined
      ? []
      : ['-c:a', ...AUDIO[audio], '-b:a', channels > 2 ? '384k' : '64k', '-ac', String(channels)]),
  ];
  return ['-v', 'error', '-y', ...inputs, '-t', String(seconds), ...outputs, file];
}

function videoMessage(codec: string, { data, type, timestamp }: EncodedPacket, at: number): Frame {
  const key = type === 'key' ? 0x90 : 0xa0;
  const isComposed = codec === 'avc1' || codec === 'hvc1';
  const composition = Buffer.alloc(isComposed ? 3 : 0);
  if (isComposed) composition.writeIntBE(Math.round(timestamp * 1000) - at, 0, 3);
  return message(9, at, [key | 1, ...fourCc(codec)], Buffer.concat([composition, data]));
}

/** AV1 and VP9 without a record: everything is in their keyframes too. */
function record(codec: string, description: AllowSharedBufferSource | undefined): Buffer {
  if (codec === 'av01') return Buffer.from([0x81, 0x00, 0x0c, 0x00]);
  return codec === 'vp09' ? Buffer.from([0, 10, 0x82, 2, 2, 2, 0, 0]) : Buffer.from(view(description));
}

type AllowSharedBufferSource = ArrayBuffer | ArrayBufferView | SharedArrayBuffer;

function view(source: AllowSharedBufferSource | undefined): Uint8Array {
  if (source === undefined) return new Uint8Array(0);
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

function message(type: 8 | 9, timestamp: number, head: readonly number[], body: Buffer): Frame {
  return frameFromMessage({ type, streamId: 1, timestamp, payload: Buffer.concat([Buffer.from(head), body]) });
}

function fourCc(codec: string): Buffer {
  return Buffer.from(codec, 'latin1');
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
