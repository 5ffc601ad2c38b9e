import { AmfObject, decodeAmf0 } from '../protocol/index.ts';

/** How bright a picture may be, by HLS's names (RFC 8216bis, 4.4.6.2, VIDEO-RANGE). */
export type VideoRange = 'SDR' | 'HLG' | 'PQ';

const PQ = 16;
const HLG = 18;

/** The range of transfer characteristics (ITU-T H.273, table 3). */
export function videoRange(transfer: number | undefined): VideoRange {
  return transfer === PQ ? 'PQ' : transfer === HLG ? 'HLG' : 'SDR';
}

/** The transfer characteristics in Enhanced RTMP's video metadata (`colorInfo`); undefined where it takes back what it said before. */
export function transferOf(metadata: Buffer): number | undefined {
  const colour = within(colourInfo(metadata), 'colorConfig');
  const transfer = colour instanceof AmfObject ? colour.get('transferCharacteristics') : undefined;
  return typeof transfer === 'number' ? transfer : undefined;
}

function colourInfo(metadata: Buffer): unknown {
  try {
    const values = decodeAmf0(metadata);
    return values[values.indexOf('colorInfo') + 1];
  } catch {
    // Of another kind, or cut short: nothing that is known of.
    return undefined;
  }
}

function within(value: unknown, key: string): unknown {
  return value instanceof AmfObject ? value.get(key) : undefined;
}
