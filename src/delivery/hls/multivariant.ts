import type { AudioConfig, VideoRange } from '../../media/index.ts';

/**
 * Sound that every player of fragmented MP4 plays that plays any. The others get playlists of their own, so that who cannot play them
 * has the picture at least: Chromium has no MP3 in MP4, and AC-3 neither.
 */
const EVERYWHERE: readonly AudioConfig['codec'][] = ['aac', 'opus', 'flac'];

export function isPlayedEverywhere(codec: AudioConfig['codec']): boolean {
  return EVERYWHERE.includes(codec);
}

/** One track's playlist as the multivariant playlist tells of it. */
export interface Variant {
  readonly uri: string;
  readonly codecs: readonly string[];
  /** Bits per second. */
  readonly peak: number;
  readonly average: number;
  readonly picture: Picture | undefined;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number | undefined;
  readonly range: VideoRange;
}

/** A sound track to choose. */
export interface Sound {
  /** Undefined: it is in the variants themselves. */
  readonly uri: string | undefined;
  readonly name: string;
  readonly codec: string;
  readonly channels: number;
  readonly peak: number;
  readonly average: number;
  readonly isPlayedEverywhere: boolean;
}

interface Group {
  readonly id: string;
  readonly sounds: readonly Sound[];
}

/**
 * A multivariant playlist (RFC 8216bis, 4.4.6). `sounds`: all there are, the default one first. Each variant is listed once with the
 * sounds that everybody can play, and once more for every other codec of sound: players leave out what they cannot play.
 */
export function multivariantPlaylist(variants: readonly Variant[], sounds: readonly Sound[]): string {
  const groups = groupsOf(sounds);
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7'];
  for (const group of groups) if (isWorthListing(group)) lines.push(...group.sounds.map(mediaLine(group.id)));
  for (const group of groups) for (const variant of variants) lines.push(...variantLines(variant, group));
  return `${lines.join('\n')}\n`;
}

/** The one with the default sound first: players begin with the first. */
function groupsOf(sounds: readonly Sound[]): Group[] {
  const others = [...new Set(sounds.filter((sound) => !sound.isPlayedEverywhere).map(({ codec }) => codec))];
  const common = { id: 'sound', sounds: sounds.filter((sound) => sound.isPlayedEverywhere) };
  const special = others.map((codec) => ({
    id: `sound-${codec}`,
    sounds: sounds.filter((sound) => sound.isPlayedEverywhere || sound.codec === codec),
  }));
  return sounds[0]?.isPlayedEverywhere === false ? [...special, common] : [common, ...special];
}

/** A sound that is in the variants and has no other beside it is nothing to choose. */
function isWorthListing({ sounds }: Group): boolean {
  return sounds.some(({ uri }) => uri !== undefined);
}

function mediaLine(group: string) {
  return ({ uri, name, channels }: Sound, index: number): string =>
    [
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="${name}"`,
      // Nothing tells which of several a player should take by itself (RFC 8216bis, 4.4.6.1.1: they have to differ for that).
      `${index === 0 ? 'DEFAULT=YES,AUTOSELECT=YES' : 'DEFAULT=NO,AUTOSELECT=NO'},CHANNELS="${channels}"`,
      ...(uri === undefined ? [] : [`URI="${uri}"`]),
    ].join(',');
}

function variantLines({ uri, codecs, peak, average, picture }: Variant, group: Group): string[] {
  const apart = group.sounds.filter((sound) => sound.uri !== undefined);
  const most = (of: (sound: Sound) => number): number => Math.max(0, ...apart.map(of));
  const attributes = [
    `BANDWIDTH=${peak + most((sound) => sound.peak)}`,
    `AVERAGE-BANDWIDTH=${average + most((sound) => sound.average)}`,
    `CODECS="${[...new Set([...codecs, ...apart.map(({ codec }) => codec)])].join(',')}"`,
    ...(picture === undefined ? [] : pictureAttributes(picture)),
    ...(isWorthListing(group) ? [`AUDIO="${group.id}"`] : []),
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri];
}

function pictureAttributes({ width, height, frameRate, range }: Picture): string[] {
  const rate = frameRate === undefined ? [] : [`FRAME-RATE=${frameRate.toFixed(3)}`];
  return [`RESOLUTION=${width}x${height}`, ...rate, `VIDEO-RANGE=${range}`];
}
