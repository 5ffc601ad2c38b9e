import { pathOf, type StreamName } from '../../hub/index.ts';

/** What a part of a stream's name may look like in a file system as it is: letters and digits of any script, and these. */
const UNSAFE = /[^\p{L}\p{M}\p{N}_.+=@~-]/gu;

/** Windows takes these, with or without an ending, for devices. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** File systems take 255 bytes; time, number and endings need some of them. */
const MAX_PART_BYTES = 200;

/** Where a recording goes below its rule's directory. No part of it can name a parent, a hidden file or a device. */
export interface RecordingPlace {
  readonly folders: readonly string[];
  readonly stem: string;
}

/** `live/cam` at noon: folder `live`, stem `cam-20260801T120000.000Z`. Sorted by name is sorted by time. */
export function recordingPlace(name: StreamName, time: Date): RecordingPlace {
  const parts = pathOf(name).split('/').map(safePart);
  const last = parts.pop() ?? '';
  return { folders: parts, stem: `${last}-${stamp(time)}` };
}

/** UTC, as ISO 8601's basic form has it: a colon is no character for a file's name. */
function stamp(time: Date): string {
  return time.toISOString().replace(/[-:]/g, '');
}

function safePart(part: string): string {
  const shown = part.replace(UNSAFE, percent).replace(/^\./, '%2E').replace(/\.$/, '%2E').replace(DEVICES, '_$&');
  return Buffer.byteLength(shown) <= MAX_PART_BYTES ? shown : shortened(shown);
}

function percent(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Cut between characters, with a sum of what was there, so that two long names stay two. */
function shortened(text: string): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_PART_BYTES - 10) break;
    kept += character;
  }
  return `${kept}~${fnv1a(text)}`;
}

/** FNV-1a, 32 bits: to tell names apart, not to protect anything. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
