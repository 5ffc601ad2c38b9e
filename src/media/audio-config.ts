import { ac3Config, eac3Config, eac3Samples } from './ac3.ts';
import { BitReader } from './bits.ts';
import { flacConfig, flacSamples } from './flac.ts';
import { mp3Config } from './mp3.ts';

/** What a decoder of a sound track has to be told. */
export interface AudioConfig {
  readonly codec: 'aac' | 'opus' | 'flac' | 'mp3' | 'ac3' | 'eac3';
  /** RFC 6381, as in a playlist's CODECS. */
  readonly codecString: string;
  /** The rate that packets are counted in, Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** AudioSpecificConfig, Opus's identification header, FLAC's mark and STREAMINFO; of AC-3 and E-AC-3 the head of a sync frame. */
  readonly description: Uint8Array | undefined;
  /** Samples in every packet at `sampleRate`; 0 if each packet tells (`soundSamples`). */
  readonly packetSamples: number;
}

const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const AAC_CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];
const LC = 2;
const SBR = 5;
const PS = 29;
const SBR_ADDED = 0x2b7;
const PS_ADDED = 0x548;
const OPUS_RATE = 48000;

/** Sound whose every packet says what it is; RTMP has no configuration record for it. */
const SELF_DESCRIBING: readonly string[] = ['.mp3', 'ac-3', 'ec-3'];

/** Whether packets of this codec are all there is to know of it. */
export function isSelfDescribing(fourCc: string): boolean {
  return SELF_DESCRIBING.includes(fourCc);
}

/**
 * Reads the configuration of a sound track: of its record, or of a packet if it is self-describing; Opus does without either.
 * Undefined if it is not understood, or not by the muxer.
 */
export function audioConfig(fourCc: string, record: Buffer | undefined, packet?: Buffer): AudioConfig | undefined {
  return READERS.get(fourCc)?.(record, packet);
}

type Reader = (record: Buffer | undefined, packet: Buffer | undefined) => AudioConfig | undefined;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['mp4a', (record) => record && aacConfig(record)],
  ['Opus', opusConfig],
  ['fLaC', flacConfig],
  ['.mp3', (_, packet) => mp3Config(packet)],
  ['ac-3', (_, packet) => ac3Config(packet)],
  ['ec-3', (_, packet) => eac3Config(packet)],
]);

/** Whether `audioConfig` knows the codec at all. */
export function isKnownSound(fourCc: string): boolean {
  return READERS.has(fourCc);
}

/** Samples in a packet, at the rate of its configuration; 0 if it does not tell. */
export function soundSamples({ codec, packetSamples }: AudioConfig, packet: Buffer): number {
  if (packetSamples > 0) return packetSamples;
  if (codec === 'opus') return opusSamples(packet);
  return codec === 'eac3' ? eac3Samples(packet) : flacSamples(packet);
}

/** AudioSpecificConfig, ISO/IEC 14496-3, 1.6.2.1. Profiles for MP4 in browsers: LC, HE and HE v2. */
function aacConfig(record: Buffer): AudioConfig | undefined {
  if (record.length < 2) return undefined;
  const bits = new BitReader(record);
  const first = objectType(bits);
  const rate = samplingRate(bits);
  const channels = AAC_CHANNELS[bits.read(4)] ?? 0;
  const isExtended = first === SBR || first === PS;
  if (isExtended) samplingRate(bits);
  const core = isExtended ? objectType(bits) : first;
  if (rate === undefined || rate === 0 || core !== LC) return undefined;
  const isShort = bits.flag();
  const type = isExtended ? first : addedType(bits);
  return {
    codec: 'aac',
    codecString: `mp4a.40.${type}`,
    sampleRate: rate,
    // 0: told in the first packet; nearly always stereo.
    channels: channels === 0 ? 2 : channels,
    description: record,
    packetSamples: isShort ? 960 : 1024,
  };
}

/** What is added so that decoders that know only LC may miss it (1.6.6.1). */
function addedType(bits: BitReader): number {
  // Of the core: whether it depends on another coder, and whether it is extended.
  if (bits.flag()) bits.skip(14);
  bits.skip(1);
  if (bits.read(11) !== SBR_ADDED || objectType(bits) !== SBR || !bits.flag()) return LC;
  samplingRate(bits);
  return bits.read(11) === PS_ADDED && bits.flag() ? PS : SBR;
}

function objectType(bits: BitReader): number {
  const type = bits.read(5);
  return type === 31 ? 32 + bits.read(6) : type;
}

function samplingRate(bits: BitReader): number | undefined {
  const index = bits.read(4);
  return index === 15 ? bits.read(24) : AAC_RATES[index];
}

/** Identification header (RFC 7845, 5.1); without one, stereo with the delay of libopus. */
function opusConfig(record: Buffer | undefined): AudioConfig {
  const isHeader = record !== undefined && record.length >= 19 && record.toString('latin1', 0, 8) === 'OpusHead';
  const description = isHeader ? record : STEREO;
  return {
    codec: 'opus',
    codecString: 'opus',
    sampleRate: OPUS_RATE,
    channels: Math.max(1, description[9]!),
    description,
    packetSamples: 0,
  };
}

const STEREO = Buffer.concat([Buffer.from('OpusHead'), Buffer.from([1, 2, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0])]);

/** Samples of one frame at 48 kHz, by the configuration number of RFC 6716, 3.1. */
const SILK_FRAMES = [480, 960, 1920, 2880];
const HYBRID_FRAMES = [480, 960];
const CELT_FRAMES = [120, 240, 480, 960];

/** Samples at 48 kHz in an Opus packet. */
function opusSamples(packet: Buffer): number {
  const toc = packet[0] ?? 0;
  const config = toc >> 3;
  const frame =
    config < 12 ? SILK_FRAMES[config & 3]! : config < 16 ? HYBRID_FRAMES[config & 1]! : CELT_FRAMES[config & 3]!;
  const code = toc & 3;
  return frame * (code === 0 ? 1 : code === 3 ? (packet[1] ?? 1) & 63 : 2);
}
