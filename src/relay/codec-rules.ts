import { FOUR_CCS } from '../media/index.ts';
import { readCapabilities, type AmfValue, type Capabilities } from '../protocol/index.ts';

/** Every codec there is. */
const ALL_CODECS = '*';

/** By the names that people and programs use for them (FFmpeg's, RFC 6381's, Enhanced RTMP's). */
const BY_NAME: Readonly<Record<string, string>> = Object.freeze({
  ...{
    h264: 'avc1',
    avc: 'avc1',
    avc1: 'avc1',
    h265: 'hvc1',
    hevc: 'hvc1',
    hvc1: 'hvc1',
    h266: 'vvc1',
    vvc: 'vvc1',
    vvc1: 'vvc1',
  },
  ...{ av1: 'av01', av01: 'av01', vp8: 'vp08', vp08: 'vp08', vp9: 'vp09', vp09: 'vp09' },
  ...{ aac: 'mp4a', mp4a: 'mp4a', mp3: '.mp3', '.mp3': '.mp3', opus: 'Opus', flac: 'fLaC' },
  ...{ ac3: 'ac-3', 'ac-3': 'ac-3', eac3: 'ec-3', 'ec-3': 'ec-3', '*': ALL_CODECS, all: ALL_CODECS },
});

/** Those that the README names. */
export const CODEC_NAMES = Object.freeze([
  'h264',
  'hevc',
  'av1',
  'vp8',
  'vp9',
  'vvc',
  'aac',
  'mp3',
  'opus',
  'flac',
  'ac3',
  'eac3',
  'all',
]);

/** A codec's FourCC, `*` for all of them, or undefined for what is none. */
export function codecNamed(name: string): string | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(BY_NAME, known) ? BY_NAME[known] : undefined;
}

/** Which codecs may go to a server; undefined for a kind of which all may. */
export interface AllowedCodecs {
  readonly video: ReadonlySet<string> | undefined;
  readonly audio: ReadonlySet<string> | undefined;
}

/**
 * What may go to a server: the rule's word if it has one; else, to a server that announces codecs, these and the ones that
 * every RTMP server knows; else all. Most platforms announce nothing and take HEVC all the same (YouTube), or say themselves
 * what is wrong: a picture that is left out in silence would be worse. `info`: what the server answered to connect.
 */
export function allowedCodecs(rule: ReadonlySet<string> | undefined, info: AmfValue): AllowedCodecs {
  if (rule !== undefined)
    return rule.has(ALL_CODECS) ? { video: undefined, audio: undefined } : { video: rule, audio: rule };
  const said = readCapabilities(info);
  if (said === undefined) return { video: undefined, audio: undefined };
  return { video: announced(said, 'video'), audio: announced(said, 'audio') };
}

/** The ones that were there before anything was announced. A list that names no codec of a kind says nothing of that kind. */
const ALWAYS = { video: ['avc1'], audio: ['mp4a', '.mp3'] } as const;

function announced(said: Capabilities, kind: 'video' | 'audio'): ReadonlySet<string> | undefined {
  const map = kind === 'video' ? said.videoFourCcInfoMap : said.audioFourCcInfoMap;
  const able = [...(map ?? [])].filter(([, mask]) => mask !== 0).map(([name]) => name);
  const listed = said.fourCcList ?? [];
  const names = [...able, ...listed.filter((name) => FOUR_CCS.audio.includes(name) === (kind === 'audio'))];
  if (names.length === 0 || [...able, ...listed].includes(ALL_CODECS)) return undefined;
  return new Set([...ALWAYS[kind], ...names]);
}
