/** What a data message does to the stored data frames of a stream. */
export interface DataHandler {
  /** For players: the payload without the `@setDataFrame` prefix. */
  readonly payload: Buffer;
  /** The handler name under which the frame is kept for players that join later. */
  readonly stores: string | undefined;
  /** The handler name whose kept frame is to be forgotten. */
  readonly clears: string | undefined;
}

const AMF0_STRING = 0x02;
const AMF3_DATA = 15;
const FORMAT_BYTE = Buffer.from([0]);

const SET = Buffer.from('\x02\x00\x0d@setDataFrame', 'latin1');
const CLEAR = Buffer.from('\x02\x00\x0f@clearDataFrame', 'latin1');
const METADATA = Buffer.from('\x02\x00\x0aonMetaData', 'latin1');

/** Handler names are identifiers; a longer one is somebody's payload and not worth remembering. */
const MAX_NAME_BYTES = 64;

/**
 * `@setDataFrame` stores what follows for later players, who get it without the prefix; `@clearDataFrame` forgets it. A bare
 * `onMetaData` is stored as well: several encoders leave the prefix out. Everything else passes as it is.
 */
export function readDataHandler(type: number, payload: Buffer): DataHandler {
  // Type 15 opens with one format byte; what follows is AMF0 all the same.
  const start = type === AMF3_DATA && payload[0] === 0 ? 1 : 0;
  if (startsWith(payload, start, METADATA)) return { payload, stores: 'onMetaData', clears: undefined };
  if (startsWith(payload, start, SET)) return setDataFrame(payload, start);
  if (startsWith(payload, start, CLEAR)) {
    return { payload, stores: undefined, clears: nameAt(payload, start + CLEAR.length) };
  }
  return { payload, stores: undefined, clears: undefined };
}

/** Data messages that a server says to its players about the playing itself (RTMP players of Flash's kind know them). */
const ABOUT_PLAYING: readonly string[] = ['|RtmpSampleAccess', 'onStatus', 'NetStream.Data.Start'];

/** The name that a data message begins with; undefined without one, or with one longer than names are. */
export function dataName(type: number, payload: Buffer): string | undefined {
  return nameAt(payload, type === AMF3_DATA && payload[0] === 0 ? 1 : 0);
}

/** Whether a data message is meant for one server's player alone, and no part of the stream. */
export function isAboutPlaying(type: number, payload: Buffer): boolean {
  const name = dataName(type, payload);
  return name !== undefined && ABOUT_PLAYING.includes(name);
}

/** The payload of a stored data message as a publisher says it: behind `@setDataFrame`. */
export function asSetDataFrame(type: number, payload: Buffer): Buffer {
  if (type === AMF3_DATA && payload[0] === 0) return Buffer.concat([FORMAT_BYTE, SET, payload.subarray(1)]);
  return Buffer.concat([SET, payload]);
}

function setDataFrame(payload: Buffer, start: number): DataHandler {
  const at = start + SET.length;
  const body = payload.subarray(at);
  const name = nameAt(payload, at);
  if (name === undefined) return { payload, stores: undefined, clears: undefined };
  return { payload: start === 0 ? body : Buffer.concat([FORMAT_BYTE, body]), stores: name, clears: undefined };
}

function nameAt(payload: Buffer, at: number): string | undefined {
  if (payload[at] !== AMF0_STRING || payload.length < at + 3) return undefined;
  const length = payload.readUInt16BE(at + 1);
  if (length === 0 || length > MAX_NAME_BYTES || payload.length < at + 3 + length) return undefined;
  return payload.toString('latin1', at + 3, at + 3 + length);
}

function startsWith(payload: Buffer, at: number, prefix: Buffer): boolean {
  return payload.length >= at + prefix.length && prefix.compare(payload, at, at + prefix.length) === 0;
}
