import { readSplice } from '../../src/media/index.ts';
import { attributes } from './hls-validator.ts';

/** The EXT-X-DATERANGE tags of a playlist, in order. */
export function dateRangesIn(playlist: string): Record<string, string>[] {
  const lines = playlist.split('\n').filter((line) => line.startsWith('#EXT-X-DATERANGE:'));
  return lines.map((line) => attributes(line.slice(line.indexOf(':') + 1)));
}

/** What is wrong with a playlist's date ranges by RFC 8216bis, 4.4.5.1. */
export function dateRangeFaults(playlist: string): string[] {
  const faults: string[] = [];
  const known = new Map<string, Record<string, string>>();
  if (playlist.includes('DATERANGE') && !playlist.includes('#EXT-X-PROGRAM-DATE-TIME:'))
    faults.push('no date to go by');
  for (const tag of dateRangesIn(playlist)) {
    const id = tag.ID ?? '';
    const [start, end] = [Date.parse(tag['START-DATE'] ?? ''), Date.parse(tag['END-DATE'] ?? '')];
    if (id === '' || Number.isNaN(start)) faults.push(`${id}: without ID or START-DATE`);
    for (const [name, value] of Object.entries(known.get(id) ?? {})) {
      if (tag[name] !== undefined && tag[name] !== value) faults.push(`${id}: ${name} changed`);
    }
    known.set(id, { ...known.get(id), ...tag });
    const length = tag.DURATION === undefined ? undefined : Number(tag.DURATION) * 1000;
    if (length !== undefined && (length < 0 || (!Number.isNaN(end) && Math.abs(end - start - length) > 1e-6))) {
      faults.push(`${id}: END-DATE and DURATION differ`);
    }
    if (tag['SCTE35-OUT'] !== undefined && (length !== undefined || !Number.isNaN(end)))
      faults.push(`${id}: OUT has an end`);
    for (const name of ['SCTE35-OUT', 'SCTE35-IN', 'SCTE35-CMD']) {
      const hex = tag[name];
      if (hex !== undefined && readSplice(Buffer.from(hex.replace(/^0x/, ''), 'hex')) === undefined) {
        faults.push(`${id}: ${name} is no section`);
      }
    }
  }
  return faults;
}
