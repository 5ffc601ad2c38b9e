/**
 * What a payload means. This room tells keyframes, decoder configurations and tracks apart (FLV tag bodies and Enhanced
 * RTMP v1/v2), turns messages into Frames and back, and keeps a frame's chunked form so that all players share it. It never
 * decodes media and never changes a payload.
 */
export { Frame, frameFromMessage, messageFromFrame, retimed, type FrameEncoding, type FrameKind } from './frame.ts';
export { encodingOf, MAX_OTHER_ENCODINGS, MEDIA_CHUNK_STREAMS } from './encoding.ts';
export { codecOf, FOUR_CCS, legacyCodec, printable } from './codec-name.ts';
export { transferOf, videoRange, type VideoRange } from './colour.ts';
export { MAX_TRACKS } from './codecs.ts';
export { asSetDataFrame, isAboutPlaying } from './data.ts';
export {
  bareMetadata,
  FLV_BACK_POINTER_BYTES,
  FLV_FLAGS_AT,
  FLV_HEADER_BYTES,
  FLV_TAG_HEAD_BYTES,
  flvBackPointer,
  flvFlags,
  flvHeader,
  flvTag,
  flvTagHead,
  flvTagOf,
  isFlvBackPointer,
  readFlvTagHead,
  withDuration,
  type FileMetadata,
  type FlvContents,
  type FlvTagHead,
} from './flv.ts';
export { MAX_TIMED_EVENT_BYTES, mayBeTimedEvent, readTimedEvent, type TimedEvent } from './timed-event.ts';
export { readSplice, type SpliceInfo, type SpliceMark } from './splice.ts';
export { keepTracks } from './track-filter.ts';
export { packetsOf, type MediaPacket } from './packets.ts';
export { audioConfig, isKnownSound, isSelfDescribing, soundSamples, type AudioConfig } from './audio-config.ts';
export { isKnownPicture, videoConfig, type VideoConfig } from './video-config.ts';
// A frame's times are RTMP's.
export { addTimestamp, compareTimestamps } from '../protocol/index.ts';
