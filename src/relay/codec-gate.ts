import { codecOf, frameFromMessage, keepTracks, legacyCodec, type Frame } from '../media/index.ts';
import { AmfEcmaArray, AmfObject, decodeAmf0, encodeAmf0, type AmfValue } from '../protocol/index.ts';
import type { AllowedCodecs } from './codec-rules.ts';

/** Codecs that are remembered as left out: more than there are. */
const MAX_LEFT_OUT = 16;

/** What metadata says of one kind of track, and what a player would wait for in vain. */
const OF_KIND = {
  video: [
    'videocodecid',
    'width',
    'height',
    'framerate',
    'videodatarate',
    'videoframerate',
    'videokeyframe_frequency',
    'avclevel',
    'avcprofile',
  ],
  audio: [
    'audiocodecid',
    'audiodatarate',
    'audiosamplerate',
    'audiosamplesize',
    'audiochannels',
    'stereo',
    'audiodelay',
  ],
} as const;

/** Keeps from one server the tracks whose codecs are not for it; metadata follows. */
export class CodecGate {
  readonly #allowed: AllowedCodecs;
  readonly #leftOut = new Set<string>();
  readonly #isOpen: boolean;
  readonly #told: (codec: string) => void;
  /** OBS before 29.1 says AVC in each frame and shows in the configuration that it is HEVC. */
  #disguised: string | undefined = undefined;

  /** `told` hears of each codec that is left out, once. */
  constructor(allowed: AllowedCodecs, told: (codec: string) => void) {
    this.#allowed = allowed;
    this.#isOpen = allowed.video === undefined && allowed.audio === undefined;
    this.#told = told;
  }

  /** Codecs that came and did not go on. */
  get leftOut(): readonly string[] {
    return [...this.#leftOut];
  }

  /** The frame as it may go, mostly itself; undefined if nothing of it may. */
  pass(frame: Frame): Frame | undefined {
    if (this.#isOpen) return frame;
    if (frame.kind === 'data') return frame.configKey === 'data:onMetaData' ? this.#metadata(frame) : frame;
    const allowed = this.#allowed[frame.kind];
    if (allowed === undefined) return frame;
    if (frame.tracks !== undefined) return keepTracks(frame, (codec) => this.#admits(codec, allowed));
    return this.#admits(this.#codecOf(frame), allowed) ? frame : undefined;
  }

  /** What cannot be told is not judged. */
  #admits(codec: string | undefined, allowed: ReadonlySet<string>): boolean {
    if (codec === undefined || allowed.has(codec)) return true;
    if (!this.#leftOut.has(codec) && this.#leftOut.size < MAX_LEFT_OUT) {
      this.#leftOut.add(codec);
      this.#told(codec);
    }
    return false;
  }

  #codecOf(frame: Frame): string | undefined {
    const codec = codecOf(frame);
    if (frame.kind !== 'video' || (frame.payload[0] ?? 0x80) >= 0x80) return codec;
    const isAvc = (frame.payload[0]! & 15) === 7;
    if (isAvc && frame.isConfig) this.#disguised = codec;
    return isAvc ? (this.#disguised ?? codec) : codec;
  }

  #metadata(frame: Frame): Frame {
    const { type, timestamp, payload } = frame;
    // Type 15 opens with one byte of format; what follows is AMF0.
    const start = type === 15 ? 1 : 0;
    const values = decoded(payload.subarray(start));
    const object = values?.[1];
    if (values === undefined || !(object instanceof AmfObject)) return frame;
    const gone = (['video', 'audio'] as const)
      .filter((kind) => this.#isGone(kind, object))
      .flatMap((kind) => OF_KIND[kind]);
    if (gone.length === 0) return frame;
    const left = [...object].filter(([key]) => !(gone as readonly string[]).includes(key));
    const body = encoded(values[0], new AmfEcmaArray(left), ...values.slice(2));
    if (body === undefined) return frame;
    const rest = Buffer.concat([payload.subarray(0, start), body]);
    return frameFromMessage({ type, streamId: 0, timestamp, payload: rest });
  }

  #isGone(kind: 'video' | 'audio', metadata: AmfObject): boolean {
    const allowed = this.#allowed[kind];
    const codec = codecIn(kind, metadata.get(`${kind}codecid`));
    return allowed !== undefined && codec !== undefined && !allowed.has(codec);
  }
}

/** FLV's number for a codec, or its FourCC in four bytes (Enhanced RTMP), or a name. */
function codecIn(kind: 'video' | 'audio', id: AmfValue): string | undefined {
  if (typeof id === 'string') return id;
  if (typeof id !== 'number') return undefined;
  if (!(id >= 0x2000_0000 && id <= 0xffff_ffff)) return legacyCodec(kind, id);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Math.trunc(id));
  return bytes.toString('latin1');
}

/** Undefined for what is no AMF. */
function decoded(bytes: Buffer): AmfValue[] | undefined {
  try {
    return decodeAmf0(bytes);
  } catch {
    return undefined;
  }
}

/** Undefined for what AMF0 cannot say: a key of bytes that are no UTF-8 has up to three times as many once it was read. */
function encoded(...values: AmfValue[]): Buffer | undefined {
  try {
    return encodeAmf0(...values);
  } catch {
    return undefined;
  }
}
