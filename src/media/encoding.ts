import { encodeWhole } from '../protocol/index.ts';
import { messageFromFrame, type Frame } from './frame.ts';

/**
 * The chunk streams of media (below 64: some readers take no others). Audio, data and video are kept apart so that one
 * stalled kind never splits another's message.
 */
export const MEDIA_CHUNK_STREAMS = Object.freeze({ audio: 4, data: 5, video: 6 });

/** What nearly every player has: the first NetStream, and the chunk size the gateway announces. */
const USUAL_STREAM_ID = 1;
const USUAL_CHUNK_SIZE = 65536;

/**
 * How many rarer forms one frame remembers. A connection may open eight NetStreams, so eight ids at one chunk size is what
 * honest players can need; beyond that a form is made each time, and only the odd players that ask for it pay.
 */
export const MAX_OTHER_ENCODINGS = 8;

/**
 * The frame as RTMP chunks: whole header, absolute time. Made once for each (stream id, chunk size) and kept on the frame,
 * so that all its players share one Buffer; nobody may write to it.
 */
export function encodingOf(frame: Frame, streamId: number, chunkSize: number): Buffer {
  if (streamId === USUAL_STREAM_ID && chunkSize === USUAL_CHUNK_SIZE) {
    return (frame.encoding ??= encode(frame, streamId, chunkSize));
  }
  return otherEncoding(frame, streamId, chunkSize);
}

function otherEncoding(frame: Frame, streamId: number, chunkSize: number): Buffer {
  const known = (frame.otherEncodings ??= []);
  for (const form of known) {
    if (form.streamId === streamId && form.chunkSize === chunkSize) return form.bytes;
  }
  const bytes = encode(frame, streamId, chunkSize);
  if (known.length < MAX_OTHER_ENCODINGS) known.push({ streamId, chunkSize, bytes });
  return bytes;
}

function encode(frame: Frame, streamId: number, chunkSize: number): Buffer {
  return encodeWhole(messageFromFrame(frame, streamId), MEDIA_CHUNK_STREAMS[frame.kind], chunkSize);
}
