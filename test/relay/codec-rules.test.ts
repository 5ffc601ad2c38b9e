import { describe, expect, it } from 'vitest';
import { object, type AmfValue } from '../../src/protocol/index.ts';
import { allowedCodecs, codecNamed, CODEC_NAMES } from '../../src/relay/codec-rules.ts';

const lists = (rule: readonly string[] | undefined, info: Readonly<Record<string, AmfValue>>) => {
  const { video, audio } = allowedCodecs(rule && new Set(rule), object(info));
  return [video && [...video], audio && [...audio]];
};

it.each([
  ['h264', 'avc1'],
  ['AVC', 'avc1'],
  ['hevc', 'hvc1'],
  ['hvc1', 'hvc1'],
  ['av1', 'av01'],
  ['Opus', 'Opus'],
  ['flac', 'fLaC'],
  ['aac', 'mp4a'],
  ['.mp3', '.mp3'],
  ['eac3', 'ec-3'],
  ['all', '*'],
  ['*', '*'],
  ['x264', undefined],
  ['', undefined],
  ['constructor', undefined],
])('%j is %s', (name, codec) => {
  expect(codecNamed(name)).toBe(codec);
});

it('all names that people are told are known', () => {
  expect(CODEC_NAMES.filter((name) => codecNamed(name) === undefined)).toEqual([]);
});

describe('what may go to a server', () => {
  it.each<[string, Readonly<Record<string, AmfValue>>, unknown, unknown]>([
    ['that announces nothing (YouTube, nginx-rtmp): all', {}, undefined, undefined],
    ['that takes everything: all', { fourCcList: ['*'] }, undefined, undefined],
    ['that forwards everything: all', { videoFourCcInfoMap: object({ '*': 4 }) }, undefined, undefined],
    ['that tells only of tracks: all', { capsEx: 2 }, undefined, undefined],
    [
      'that lists pictures (v1): these and AVC; sound as it comes',
      { fourCcList: ['hvc1', 'av01'] },
      ['avc1', 'hvc1', 'av01'],
      undefined,
    ],
    ['that lists both', { fourCcList: ['hvc1', 'Opus'] }, ['avc1', 'hvc1'], ['mp4a', '.mp3', 'Opus']],
    [
      'that lists by ability (v2); a mask of 0 is none',
      { videoFourCcInfoMap: object({ hvc1: 4, av01: 0 }), audioFourCcInfoMap: object({ Opus: 1 }) },
      ['avc1', 'hvc1'],
      ['mp4a', '.mp3', 'Opus'],
    ],
  ])('%s', (_, info, video, audio) => {
    expect(lists(undefined, info)).toEqual([video, audio]);
  });

  it('is what the rule says, whatever the server does', () => {
    expect(lists(['avc1', 'mp4a'], { fourCcList: ['hvc1'] })).toEqual([
      ['avc1', 'mp4a'],
      ['avc1', 'mp4a'],
    ]);
    expect(lists(['*'], { fourCcList: ['avc1'] })).toEqual([undefined, undefined]);
  });
});
