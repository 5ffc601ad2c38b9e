import type { LibraryView, Segment } from './library.ts';

/** Parts are listed for so many target durations from the end (RFC 8216bis, 4.4.4.9: at least three). */
const PARTS_SHOWN = 3;
/** A delta update leaves out what is older than so many target durations (RFC 8216bis, 4.4.3.8: at least six). */
const SKIP_AFTER = 6;

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
}

/** A media playlist (RFC 8216bis). */
export function mediaPlaylist(view: LibraryView, options: PlaylistOptions): string {
  const { prefix, lowLatency, skip, dateRanges = [] } = options;
  const { segments, targetDuration, discontinuitySequence, ended, nextSequence } = view;
  const skipped = lowLatency ? skippable(view) : 0;
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
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** How many of the playlist's segments a delta update may leave out. */
function skippable({ segments, targetDuration }: LibraryView): number {
  let age = 0;
  let index = segments.length;
  while (index > 0 && age < SKIP_AFTER * targetDuration) age += segments[--index]!.duration;
  return index;
}

/** Players stay three parts behind: at two, each late part would be missing. */
function serverControl({ targetDuration, partTarget }: LibraryView): string {
  return [
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES',
    `CAN-SKIP-UNTIL=${seconds(SKIP_AFTER * targetDuration)}`,
    `PART-HOLD-BACK=${seconds(3 * Number(seconds(partTarget)))}`,
    `HOLD-BACK=${seconds(3 * targetDuration)}`,
  ].join(',');
}

function segmentLines(view: LibraryView, omitted: number, prefix: string, lowLatency: boolean): string[] {
  const { segments, ended, nextSequence } = view;
  const shown = segments.slice(omitted);
  const withParts = lowLatency ? firstWithParts(view) : Infinity;
  let init: number | undefined = undefined;
  const lines: string[] = [];
  for (const [index, segment] of shown.entries()) {
    const hasParts = lowLatency && segment.sequence >= withParts;
    if (!segment.closed && !hasParts) break;
    lines.push(...headLines(segment, segment.init !== init, index === 0 || segment.discontinuity, prefix));
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
    ...(segment.discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
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

function firstWithParts({ segments, targetDuration }: LibraryView): number {
  let age = 0;
  let index = segments.length;
  while (index > 0 && age < PARTS_SHOWN * targetDuration) age += segments[--index]!.duration;
  return segments[index]?.sequence ?? 0;
}

/** Five decimals, as Apple's examples have: 30 pictures a second do not divide by ten. */
function seconds(value: number): string {
  return String(Math.round(value * 1e5) / 1e5);
}

/** One track's playlist as the multivariant playlist tells of it. */
export interface Variant {
  readonly uri: string;
  readonly codecs: readonly string[];
  readonly peak: number;
  readonly average: number;
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

/** A further sound track. */
export interface AudioRendition {
  readonly uri: string;
  readonly name: string;
  readonly codecs: readonly string[];
}

const AUDIO_GROUP = 'sound';

/** A multivariant playlist (RFC 8216bis, 4.4.6). The default sound is in the variants themselves. */
export function multivariantPlaylist(variants: readonly Variant[], sounds: readonly AudioRendition[]): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7'];
  if (sounds.length > 0) lines.push(soundLine('Default', undefined));
  for (const { uri, name } of sounds) lines.push(soundLine(name, uri));
  const further = sounds.flatMap(({ codecs }) => codecs);
  for (const { uri, codecs, peak, average, size } of variants) {
    const attributes = [
      `BANDWIDTH=${peak}`,
      `AVERAGE-BANDWIDTH=${average}`,
      `CODECS="${[...new Set([...codecs, ...further])].join(',')}"`,
      ...(size === undefined ? [] : [`RESOLUTION=${size.width}x${size.height}`]),
      ...(sounds.length > 0 ? [`AUDIO="${AUDIO_GROUP}"`] : []),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri);
  }
  return `${lines.join('\n')}\n`;
}

function soundLine(name: string, uri: string | undefined): string {
  const isDefault = uri === undefined ? 'DEFAULT=YES,AUTOSELECT=YES' : `DEFAULT=NO,AUTOSELECT=YES,URI="${uri}"`;
  return `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${AUDIO_GROUP}",NAME="${name}",${isDefault}`;
}
