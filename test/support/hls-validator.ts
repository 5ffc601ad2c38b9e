/** A part or segment as a media playlist lists it. */
export interface Listed {
  readonly uri: string;
  readonly duration: number;
  readonly independent: boolean;
}

export interface ListedSegment extends Listed {
  readonly sequence: number;
  /** Discontinuities before it, itself included. */
  readonly discontinuities: number;
  readonly init: string;
  readonly parts: readonly Listed[];
  /** Milliseconds since 1970, where the playlist says so. */
  readonly date: number | undefined;
}

export interface MediaPlaylist {
  readonly version: number;
  /** Names of all tags in it. */
  readonly tags: ReadonlySet<string>;
  readonly reports: readonly Readonly<Record<string, string>>[];
  readonly targetDuration: number;
  readonly partTarget: number | undefined;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly skipped: number;
  readonly ended: boolean;
  readonly segments: readonly ListedSegment[];
  /** Parts of the segment that grows. */
  readonly tail: readonly Listed[];
  readonly hint: string | undefined;
  readonly control: Readonly<Record<string, string>>;
}

/** `A=1,B="x,y"` */
export function attributes(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!.replace(/^"|"$/g, '')]));
}

const SINGLE = new Set([
  ...['EXTM3U', 'EXT-X-VERSION', 'EXT-X-TARGETDURATION', 'EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE'],
  ...['EXT-X-SERVER-CONTROL', 'EXT-X-PART-INF', 'EXT-X-SKIP', 'EXT-X-PRELOAD-HINT', 'EXT-X-ENDLIST'],
]);
const BEFORE_PARTS = new Set(['EXT-X-DISCONTINUITY', 'EXT-X-MAP', 'EXT-X-PROGRAM-DATE-TIME']);

/** Reads a media playlist; throws at whatever a strict reader would not take. */
export function readMediaPlaylist(text: string): MediaPlaylist {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines[0] !== '#EXTM3U') throw new Error('the first line is not #EXTM3U');
  const tag = (name: string): string | undefined =>
    lines.find((line) => line === `#${name}` || line.startsWith(`#${name}:`))?.slice(name.length + 2);
  const mediaSequence = Number(tag('EXT-X-MEDIA-SEQUENCE') ?? 0);
  const discontinuitySequence = Number(tag('EXT-X-DISCONTINUITY-SEQUENCE') ?? 0);
  const skipped = Number(attributes(tag('EXT-X-SKIP') ?? '')['SKIPPED-SEGMENTS'] ?? 0);
  const segments: ListedSegment[] = [];
  let parts: Listed[] = [];
  let init = '';
  let duration: number | undefined;
  let discontinuities = discontinuitySequence;
  let hint: string | undefined;
  let date: number | undefined;
  const tags = new Set<string>();
  const reports: Record<string, string>[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^#([A-Z0-9-]+):?(.*)$/.exec(line) ?? [];
    if (SINGLE.has(name) && tags.has(name)) throw new Error(`${name} twice`);
    if (name !== '') tags.add(name);
    if (name === 'EXT-X-RENDITION-REPORT') reports.push(attributes(value));
    if (name === 'EXT-X-MAP') init = attributes(value).URI ?? '';
    if (name === 'EXT-X-DISCONTINUITY') discontinuities++;
    if (name === 'EXTINF') duration = Number(value.replace(/,$/, ''));
    if (name === 'EXT-X-PRELOAD-HINT') hint = attributes(value).URI;
    if (name === 'EXT-X-PROGRAM-DATE-TIME') {
      date = Date.parse(value);
      if (Number.isNaN(date)) throw new Error(`no time: ${value}`);
    }
    if (parts.length > 0 && BEFORE_PARTS.has(name)) throw new Error(`${name} behind parts of its segment`);
    if (name === 'EXT-X-PART') {
      const { URI: uri = '', DURATION, INDEPENDENT } = attributes(value);
      parts.push({ uri, duration: Number(DURATION), independent: INDEPENDENT === 'YES' });
    }
    if (line.startsWith('#')) continue;
    if (duration === undefined) throw new Error(`${line} has no EXTINF`);
    if (init === '' && skipped === 0) throw new Error(`${line} has no EXT-X-MAP`);
    const sequence = mediaSequence + skipped + segments.length;
    segments.push({ uri: line, duration, independent: true, sequence, discontinuities, init, parts, date });
    duration = undefined;
    date = undefined;
    parts = [];
  }
  return {
    version: Number(tag('EXT-X-VERSION') ?? 1),
    tags,
    reports,
    targetDuration: Number(tag('EXT-X-TARGETDURATION')),
    partTarget:
      tag('EXT-X-PART-INF') === undefined ? undefined : Number(attributes(tag('EXT-X-PART-INF')!)['PART-TARGET']),
    mediaSequence,
    discontinuitySequence,
    skipped,
    ended: lines.includes('#EXT-X-ENDLIST'),
    segments,
    tail: parts,
    hint,
    control: attributes(tag('EXT-X-SERVER-CONTROL') ?? ''),
  };
}

/** What is wrong with a playlist by RFC 8216bis, as far as one can see from it alone. */
export function faultsIn(playlist: MediaPlaylist): string[] {
  const { segments, tail, targetDuration, partTarget, control } = playlist;
  const faults: string[] = [];
  const complain = (isWrong: boolean, fault: string): void => void (isWrong && faults.push(fault));
  complain(!Number.isInteger(targetDuration) || targetDuration < 1, 'EXT-X-TARGETDURATION is no whole number');
  for (const { uri, duration, parts } of segments) {
    complain(Math.round(duration) > targetDuration, `${uri}: ${duration} s is more than the target duration`);
    const sum = parts.reduce((total, part) => total + part.duration, 0);
    complain(
      parts.length > 0 && Math.abs(sum - duration) > 0.01,
      `${uri}: its parts are ${sum} s, it is ${duration} s`,
    );
  }
  complain(playlist.tags.has('EXT-X-MAP') && playlist.version < 6, 'EXT-X-MAP needs version 6');
  complain(playlist.tags.has('EXT-X-SKIP') && playlist.version < 9, 'EXT-X-SKIP needs version 9');
  complain(playlist.ended && playlist.hint !== undefined, 'a hint in a playlist that has ended');
  complain(
    playlist.skipped === 0 && segments[0]?.date === undefined && segments.length > 0,
    'no date at the beginning',
  );
  const skippable = Number(control['CAN-SKIP-UNTIL'] ?? Infinity);
  complain(skippable < 6 * targetDuration, 'CAN-SKIP-UNTIL is less than six target durations');
  if (partTarget === undefined) return faults;
  const seconds = (list: readonly { readonly duration: number }[]): number =>
    list.reduce((sum, { duration }) => sum + duration, 0);
  const bare = segments.findLastIndex(({ parts }) => parts.length === 0);
  const withParts = seconds(segments.slice(bare + 1)) + seconds(tail);
  complain(
    withParts < Math.min(seconds(segments) + seconds(tail), 3 * targetDuration) - 0.01,
    'parts are missing near the end',
  );
  for (const { parts } of [...segments, { parts: tail }]) {
    for (const [index, { uri, duration, independent }] of parts.entries()) {
      complain(duration > partTarget + 1e-6, `${uri}: ${duration} s is more than the part target`);
      const mayBeShort = independent || index === parts.length - 1;
      complain(
        !mayBeShort && duration < 0.85 * partTarget,
        `${uri}: ${duration} s is less than 85 % of the part target`,
      );
    }
  }
  complain(control['CAN-BLOCK-RELOAD'] !== 'YES', 'parts without CAN-BLOCK-RELOAD');
  complain(Number(control['PART-HOLD-BACK']) < 3 * partTarget - 1e-6, 'PART-HOLD-BACK is less than three parts');
  complain(Number(control['HOLD-BACK']) < 3 * targetDuration, 'HOLD-BACK is less than three target durations');
  return faults;
}

/** What is wrong with `later` if it is the same playlist as `earlier` some time on. */
export function faultsBetween(earlier: MediaPlaylist, later: MediaPlaylist): string[] {
  const faults: string[] = [];
  if (later.mediaSequence < earlier.mediaSequence) faults.push('the media sequence went back');
  if (later.discontinuitySequence < earlier.discontinuitySequence) faults.push('the discontinuity sequence went back');
  if (later.targetDuration !== earlier.targetDuration) faults.push('the target duration changed');
  if (later.partTarget !== earlier.partTarget) faults.push('the part target changed');
  const end = ({ mediaSequence, skipped, segments }: MediaPlaylist): number =>
    mediaSequence + skipped + segments.length;
  if (end(later) < end(earlier)) faults.push('segments at the end went away');
  for (const segment of later.segments) {
    const same = earlier.segments.find(({ sequence }) => sequence === segment.sequence);
    if (same === undefined) continue;
    if (same.uri !== segment.uri || same.duration !== segment.duration)
      faults.push(`segment ${segment.sequence} changed`);
    if (same.date !== undefined && segment.date !== undefined && same.date !== segment.date)
      faults.push(`${segment.uri} has another date`);
    if (same.discontinuities !== segment.discontinuities) faults.push(`${segment.uri} is after other discontinuities`);
  }
  return faults;
}
