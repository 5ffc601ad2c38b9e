import type { AudioConfig } from './audio-config.ts';

const LAYER_3 = 1;
const MPEG_1 = 3;
const RESERVED_VERSION = 1;
const RATES = [44100, 48000, 32000];
const MONO = 3;

/**
 * Reads the head of an MP3 frame (ISO/IEC 11172-3, 2.4.1.3; half and quarter rates: 13818-3 and the custom of "MPEG-2.5"). RTMP brings
 * one frame in each message, and no record.
 */
export function mp3Config(frame: Buffer | undefined): AudioConfig | undefined {
  if (frame === undefined || frame.length < 4 || (frame.readUInt16BE(0) & 0xffe0) !== 0xffe0) return undefined;
  const version = (frame[1]! >> 3) & 3;
  const rate = RATES[(frame[2]! >> 2) & 3];
  if (version === RESERVED_VERSION || ((frame[1]! >> 1) & 3) !== LAYER_3 || rate === undefined) return undefined;
  return {
    codec: 'mp3',
    // By its object type, as the init segment has it. With mp4a.40.34, hls.js 1.7.4 would try it where the browser cannot.
    codecString: 'mp4a.6B',
    sampleRate: rate >> (version === MPEG_1 ? 0 : version === 2 ? 1 : 2),
    channels: frame[3]! >> 6 === MONO ? 1 : 2,
    description: undefined,
    packetSamples: version === MPEG_1 ? 1152 : 576,
  };
}
