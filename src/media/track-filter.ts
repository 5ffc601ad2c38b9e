import { codecOf, printable } from './codec-name.ts';
import { fourCcOffset, MANY_TRACKS_MANY_CODECS } from './codecs.ts';
import { frameFromMessage, type Frame } from './frame.ts';

/** FourCC, track and size in front of each track's data. */
const HEAD_BYTES = 8;

/**
 * A message of several tracks (Enhanced RTMP v2, "Multitrack") with those whose codec `admits` takes: mostly the frame itself;
 * undefined where nothing is left.
 *
 *     | head | mode:4 packet:4 | FourCC (unless many codecs) | for each: FourCC (many codecs) | track:8 | size:24 | data |
 */
export function keepTracks(frame: Frame, admits: (codec: string | undefined) => boolean): Frame | undefined {
  const { kind, payload, type, timestamp } = frame;
  const start = kind === 'data' ? -1 : fourCcOffset(kind, payload);
  if (start < 0 || payload[start - 1]! >> 4 !== MANY_TRACKS_MANY_CODECS)
    return admits(codecOf(frame)) ? frame : undefined;
  const kept: Buffer[] = [];
  for (let at = start; at + HEAD_BYTES <= payload.length;) {
    const end = at + HEAD_BYTES + payload.readUIntBE(at + 5, 3);
    if (admits(printable(payload.toString('latin1', at, at + 4)))) kept.push(payload.subarray(at, end));
    at = end;
  }
  if (kept.length === 0) return undefined;
  const rest = Buffer.concat([payload.subarray(0, start), ...kept]);
  return rest.length === payload.length ? frame : frameFromMessage({ type, streamId: 0, timestamp, payload: rest });
}
