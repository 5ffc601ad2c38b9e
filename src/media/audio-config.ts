import { BitReader } from './bits.ts';

/** What a decoder of a sound track has to be told. */
export interface AudioConfig {
  readonly codec: 'aac' | 'opus';
  /** RFC 6381, as in a playlist's CODECS. */
  readonly codecString: string;
  /** The rate that packets are counted in, Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** AudioSpecificConfig, or Opus's identification header. */
  readonly description: Uint8Array;
  /** Samples in every packet at `sampleRate`; 0 if each packet tells (Opus). */
  readonly packetSamples: number;
}

const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const AAC_CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];
const SBR = 5;
const PS = 29;
const OPUS_RATE = 48000;

/** Reads the configuration of a sound track; Opus does without one. Undefined if it is not understood. */
export function audioConfig(fourCc: string, record: Buffer | undefined): AudioConfig | undefined {
  if (fourCc === 'mp4a') return record && aacConfig(record);
  return fourCc === 'Opus' ? opusConfig(record) : undefined;
}

/** AudioSpecificConfig, ISO/IEC 14496-3, 1.6.2.1. */
function aacConfig(record: Buffer): AudioConfig | undefined {
  if (record.length < 2) return undefined;
  const bits = new BitReader(record);
  const type = objectType(bits);
  const rate = samplingRate(bits);
  const channels = AAC_CHANNELS[bits.read(4)] ?? 0;
  if (type === SBR || type === PS) {
    samplingRate(bits);
    objectType(bits);
  }
  const isShort = bits.flag();
  if (rate === undefined || rate === 0 || type === 0) return undefined;
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
export function opusSamples(packet: Buffer): number {
  const toc = packet[0] ?? 0;
  const config = toc >> 3;
  const frame =
    config < 12 ? SILK_FRAMES[config & 3]! : config < 16 ? HYBRID_FRAMES[config & 1]! : CELT_FRAMES[config & 3]!;
  const code = toc & 3;
  return frame * (code === 0 ? 1 : code === 3 ? (packet[1] ?? 1) & 63 : 2);
}
