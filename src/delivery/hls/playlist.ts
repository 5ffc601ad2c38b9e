import { SKIP_AFTER, type SegmentWindowView, type Segment } from './segment-window.ts';

/** Parts are listed for so many target durations from the end (RFC 8216bis, 4.4.4.9: at least three). */
const PARTS_SHOWN = 3;

export interface PlaylistOptions {
  /** What the names of segments, parts and initialisations begin with. */
  readonly prefix: string;
  readonly lowLatency: boolean;
  /** The client has the playlist and wants only what is new. */
  readonly skip: boolean;
  /**
   * EXT-X-DATERANGE tags. They are in delta updates too (no CAN-SKIP-DATERANGES): there are few, and so no client has to be told which are
   * gone.
   */
  readonly dateRanges?: readonly string[];
  /** How far the other playlists of the stream are. */
  readonly reports?: readonly RenditionReport[];
}

/** Where another playlist of the stream ends (RFC 8216bis, 4.4.5.4). */
export interface RenditionReport {
  readonly uri: string;
  readonly sequence: number;
  readonly part: number;
}

/** A media playlist (RFC 8216bis). */
export function mediaPlaylist(view: SegmentWindowView, options: PlaylistOptions): string {
  const { prefix, lowLatency, skip, dateRanges = [], reports = [] } = options;
  const { segments, targetDuration, discontinuitySequence, ended, nextSequence } = view;
  const skipped = lowLatency && view.canSkip && !ended ? skippable(view) : 0;
  const first = segments[0]?.sequence ?? nextSequence;
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${lowLatency ? 9 : 7}`, `#EXT-X-TARGETDURATION:${targetDuration}`];
  if (lowLatency) lines.push(serverControl(view), `#EXT-X-PART-INF:PART-TARGET=${seconds(view.partTarget)}`);
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${first}`);
  if (discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`);
  if (segments.every(({ independent }) => independent)) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  const omitted = skip ? skipped : 0;
  if (omitted > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${omitted}`);
  lines.push(...dateRanges);
  lines.push(...segmentLines(view, omitted, prefix, lowLatency));
  if (lowLatency && !ended) lines.push(...reports.map(reportLine));
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** How many of the playlist's segments a delta update may leave out. */
function skippable({ segments, targetDuration }: SegmentWindowView): number {
  let age = 0;
  let index = segments.length;
  while (index > 0 && age < SKIP_AFTER * targetDuration) age += segments[--index]!.duration;
  return index;
}

/** Players stay three parts behind: at two, each late part would be missing. */
function serverControl({ targetDuration, partTarget, canSkip }: SegmentWindowView): string {
  return [
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES',
    ...(canSkip ? [`CAN-SKIP-UNTIL=${seconds(SKIP_AFTER * targetDuration)}`] : []),
    `PART-HOLD-BACK=${seconds(3 * Number(seconds(partTarget)))}`,
    `HOLD-BACK=${seconds(3 * targetDuration)}`,
  ].join(',');
}

function reportLine({ uri, sequence, part }: RenditionReport): string {
  return `#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${sequence},LAST-PART=${part}`;
}

function segmentLines(view: SegmentWindowView, omitted: number, prefix: string, lowLatency: boolean): string[] {
  const { segments, ended, nextSequence } = view;
  const shown = segments.slice(omitted);
  const withParts = lowLatency ? firstWithParts(view) : Infinity;
  let init: number | undefined = undefined;
  const lines: string[] = [];
  for (const [index, segment] of shown.entries()) {
    const hasParts = lowLatency && segment.sequence >= withParts;
    if (!segment.closed && !hasParts) break;
    lines.push(...headLines(segment, segment.init !== init, index === 0 || segment.breaks > 0, prefix));
    init = segment.init;
    if (hasParts) lines.push(...partLines(segment, prefix));
    if (segment.closed) lines.push(`#EXTINF:${seconds(segment.duration)},`, `${prefix}-${segment.sequence}.m4s`);
  }
  const last = segments.at(-1);
  const nextPart = last?.sequence === nextSequence ? last.parts.length : 0;
  if (lowLatency && !ended) lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${prefix}-${nextSequence}.${nextPart}.m4s"`);
  return lines;
}

function headLines(segment: Segment, needsInit: boolean, needsTime: boolean, prefix: string): string[] {
  return [
    ...Array.from({ length: segment.breaks }, () => '#EXT-X-DISCONTINUITY'),
    ...(needsInit ? [`#EXT-X-MAP:URI="${prefix}-init-${segment.init}.mp4"`] : []),
    ...(needsTime ? [`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.programTime).toISOString()}`] : []),
  ];
}

function partLines({ sequence, parts }: Segment, prefix: string): string[] {
  return parts.map(({ duration, independent }, index) => {
    const uri = `${prefix}-${sequence}.${index}.m4s`;
    return `#EXT-X-PART:DURATION=${seconds(duration)},URI="${uri}"${independent ? ',INDEPENDENT=YES' : ''}`;
  });
}

function firstWithParts({ segments, targetDuration }: SegmentWindowView): number {
  let age = 0;
  let index = segments.length;
  while (index > 0 && age < PARTS_SHOWN * targetDuration) age += segments[--index]!.duration;
  return segments[index]?.sequence ?? 0;
}

/** Five decimals, as Apple's examples have: 30 pictures a second do not divide by ten. */
function seconds(value: number): string {
  return String(Math.round(value * 1e5) / 1e5);
}
