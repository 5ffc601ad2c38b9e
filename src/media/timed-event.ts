import { ProtocolError } from '../errors.ts';
import { AmfObject, decodeAmf0, MessageType, type AmfValue } from '../protocol/index.ts';
import { amfJson } from './amf-json.ts';
import { dataName, isAboutPlaying } from './data.ts';
import type { Frame } from './frame.ts';
import { readSplice, type SpliceInfo } from './splice.ts';

/** What a data message says to whoever watches: text, a cue point, an ad marker. */
export interface TimedEvent {
  /** The command's name: `onTextData`, `onCuePoint`. */
  readonly name: string;
  /** What follows the name, as JSON: the one value itself, or an array of several. */
  readonly text: string;
  /** The SCTE-35 section that is in it. */
  readonly splice: SpliceInfo | undefined;
  /** When it is to happen by its own words, in milliseconds of the publisher's clock, where it says so. */
  readonly time: number | undefined;
}

/** A message's bytes, and its text's: Amazon IVS takes 1 KiB, and a poll with its pictures' addresses has less than 16. */
export const MAX_TIMED_EVENT_BYTES = 16 * 1024;

/** Names that hls.js reads right (it counts a description's characters where it should count bytes). */
const NAME = /^[\x21-\x7e]{1,64}$/;

/**
 * Said for machines, and up to once for each picture: time codes (Flash Media Live Encoder, Elemental), and captions as bytes of CEA-708
 * (Elemental, Wowza), which have a way of their own in the pictures.
 */
const FOR_MACHINES: ReadonlySet<string> = new Set(['onFI', 'onCaption', 'onCaptionInfo']);

/** Whether a frame may be an event, by its size and name alone: not metadata, and not what is about the playing itself. */
export function mayBeTimedEvent({ kind, type, payload, configKey }: Frame): boolean {
  if (kind !== 'data' || configKey !== undefined || payload.length > MAX_TIMED_EVENT_BYTES) return false;
  const name = dataName(type, payload);
  return name !== undefined && NAME.test(name) && !FOR_MACHINES.has(name) && !isAboutPlaying(type, payload);
}

/** Undefined for what is no event, cannot be read, or is too long. */
export function readTimedEvent(frame: Frame): TimedEvent | undefined {
  if (!mayBeTimedEvent(frame)) return undefined;
  const [name, ...values] = valuesIn(frame.type, frame.payload);
  if (typeof name !== 'string') return undefined;
  const text = amfJson(values.length > 1 ? values : values[0]);
  if (Buffer.byteLength(text) > MAX_TIMED_EVENT_BYTES) return undefined;
  return { name, text, splice: findSplice(values), time: timeIn(values[0]) };
}

function valuesIn(type: number, payload: Buffer): AmfValue[] {
  // Type 15 opens with one format byte; what follows is AMF0, which may turn to AMF3 itself.
  const start = type === MessageType.dataAmf3 && payload[0] === 0 ? 1 : 0;
  try {
    return decodeAmf0(payload.subarray(start));
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}

/** `time` of Adobe's cue points: seconds. */
function timeIn(value: AmfValue): number | undefined {
  const time = value instanceof AmfObject ? value.get('time') : undefined;
  return typeof time === 'number' && Number.isFinite(time) && time >= 0 ? Math.round(time * 1000) : undefined;
}

/**
 * Whatever it is called: `cue` of `onAdCue` (Adobe Primetime), something in the `parameters` of `onCuePoint` (Elemental), a byte array of
 * somebody else's. Its checksum tells it from all other text.
 */
function findSplice(value: AmfValue): SpliceInfo | undefined {
  if (typeof value === 'string') return spliceInText(value);
  if (Buffer.isBuffer(value)) return readSplice(value);
  const inside = Array.isArray(value) ? value : value instanceof AmfObject ? [...value.values()] : [];
  for (const one of inside) {
    const found = findSplice(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A section's first byte, 0xFC, in either notation. */
const BASE64 = /^\/[A-Za-z0-9+/]+={0,2}$/;
const HEX = /^(?:0x)?(fc[0-9a-f]+)$/i;

function spliceInText(text: string): SpliceInfo | undefined {
  if (BASE64.test(text)) return readSplice(Buffer.from(text, 'base64'));
  const hex = HEX.exec(text)?.[1];
  return hex === undefined ? undefined : readSplice(Buffer.from(hex, 'hex'));
}
