/**
 * What a payload means. This room tells keyframes, decoder configurations and tracks apart (FLV tag bodies and Enhanced
 * RTMP v1/v2), turns messages into Frames and back, and keeps a frame's chunked form so that all players share it. It never
 * decodes media and never changes a payload.
 */
export { Frame, frameFromMessage, messageFromFrame, retimed, type FrameEncoding, type FrameKind } from './frame.ts';
export { encodingOf, MAX_OTHER_ENCODINGS, MEDIA_CHUNK_STREAMS } from './encoding.ts';
export { codecOf } from './codec-name.ts';
