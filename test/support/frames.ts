import { frameFromMessage, type Frame } from '../../src/media/index.ts';

/** Small valid messages of each kind, as frames. `mark` makes a payload recognisable and unlike others. */

function frame(type: number, timestamp: number, bytes: readonly number[] | Buffer): Frame {
  return frameFromMessage({ type, streamId: 1, timestamp, payload: Buffer.from(bytes) });
}

export function avcHeader(timestamp = 0, mark = 0): Frame {
  return frame(9, timestamp, [0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe1, mark]);
}

export function key(timestamp: number, mark = 0, size = 8): Frame {
  return frame(
    9,
    timestamp,
    Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0, mark]), Buffer.alloc(Math.max(0, size - 6))]),
  );
}

export function inter(timestamp: number, mark = 0, size = 8): Frame {
  return frame(
    9,
    timestamp,
    Buffer.concat([Buffer.from([0x27, 1, 0, 0, 0, mark]), Buffer.alloc(Math.max(0, size - 6))]),
  );
}

export function aacHeader(timestamp = 0, mark = 0): Frame {
  return frame(8, timestamp, [0xaf, 0, 0x12, mark]);
}

export function audio(timestamp: number, mark = 0, size = 4): Frame {
  return frame(8, timestamp, Buffer.concat([Buffer.from([0xaf, 1, mark]), Buffer.alloc(Math.max(0, size - 3))]));
}

const VIDEO_FRAME_TYPES = { key: 1, inter: 2 } as const;

/** A message of Enhanced RTMP with one track id: multitrack, OneTrack, HEVC, coded frames without composition time. */
export function trackVideo(kind: 'key' | 'inter', track: number, timestamp: number, mark = 0): Frame {
  return frame(9, timestamp, [0x86 | (VIDEO_FRAME_TYPES[kind] << 4), 0x03, ...Buffer.from('hvc1'), track, mark]);
}

export function trackHeader(track: number, timestamp = 0, mark = 0): Frame {
  return frame(9, timestamp, [0x96, 0x00, ...Buffer.from('hvc1'), track, mark]);
}

/** Several video tracks in one message, one codec. */
export function tracksVideo(kind: 'key' | 'inter', tracks: readonly number[], timestamp: number): Frame {
  const bodies = tracks.flatMap((track) => [track, 0, 0, 1, 0xaa]);
  return frame(9, timestamp, [0x86 | (VIDEO_FRAME_TYPES[kind] << 4), 0x13, ...Buffer.from('hvc1'), ...bodies]);
}

export function string(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([Buffer.from([2]), length, Buffer.from(text)]);
}

export function metadata(timestamp = 0, mark = 0): Frame {
  return frame(18, timestamp, Buffer.concat([string('@setDataFrame'), string('onMetaData'), Buffer.from([5, mark])]));
}

export function clearMetadata(timestamp = 0): Frame {
  return frame(18, timestamp, Buffer.concat([string('@clearDataFrame'), string('onMetaData')]));
}

export function cuePoint(timestamp: number, mark = 0, size = 0): Frame {
  return frame(18, timestamp, Buffer.concat([string('onCuePoint'), Buffer.from([5, mark]), Buffer.alloc(size)]));
}

/** The same message as one of another track: multitrack, one track (Enhanced RTMP v2). */
export function onTrack({ kind, type, timestamp, payload }: Frame, track: number): Frame {
  const multitrack = kind === 'video' ? 6 : 5;
  const head = Buffer.from([(payload[0]! & 0xf0) | multitrack, payload[0]! & 15]);
  const rest = [payload.subarray(1, 5), Buffer.from([track]), payload.subarray(5)];
  return frameFromMessage({ type, streamId: 1, timestamp, payload: Buffer.concat([head, ...rest]) });
}
