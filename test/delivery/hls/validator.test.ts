import { describe, expect, it } from 'vitest';
import { faultsInCodecs, faultsInMultivariant, faultsInReports, readMultivariant } from '../../support/hls-rules.ts';
import { faultsBetween, faultsIn, readMediaPlaylist } from '../../support/hls-validator.ts';

const MEDIA = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3,HOLD-BACK=6
#EXT-X-PART-INF:PART-TARGET=1
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXT-X-PART:DURATION=1,URI="7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.9,URI="7.1.m4s"
#EXT-X-PART:DURATION=0.1,URI="7.2.m4s"
#EXTINF:2,
7.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.0.m4s"
#EXT-X-RENDITION-REPORT:URI="a1.m3u8",LAST-MSN=3,LAST-PART=0
`;
const MASTER = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="One",DEFAULT=YES,URI="a1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=9,AVERAGE-BANDWIDTH=8,CODECS="avc1.42c01e,ac-3",RESOLUTION=3x4,FRAME-RATE=30.000,VIDEO-RANGE=SDR,AUDIO="g"
v0.m3u8
`;

describe('our own judge of playlists', () => {
  it('finds nothing against good ones', () => {
    const [media, master] = [readMediaPlaylist(MEDIA), readMultivariant(MASTER)];
    expect([...faultsIn(media), ...faultsBetween(media, media), ...faultsInMultivariant(master)]).toEqual([]);
    expect(faultsInReports('v0.m3u8', master, media)).toEqual([]);
    expect(
      faultsInCodecs(master, new Map(Object.entries({ 'v0.m3u8': ['avc1.42c01e'], 'a1.m3u8': ['ac-3'] }))),
    ).toEqual([]);
  });

  it.each([
    [/DURATION=0\.9/, 'DURATION=0.84', /85 %/],
    [/DURATION=1,/, 'DURATION=1.1,', /more than the part target/],
    [/EXTINF:2/, 'EXTINF:2.6', /more than the target duration/],
    [/PART-HOLD-BACK=3/, 'PART-HOLD-BACK=2.9', /PART-HOLD-BACK/],
    [/HOLD-BACK=6/, 'HOLD-BACK=5', /HOLD-BACK is less than three target/],
    [/CAN-BLOCK-RELOAD=YES/, 'CAN-BLOCK-RELOAD=NO', /CAN-BLOCK-RELOAD/],
    [/PART-HOLD-BACK=3/, 'CAN-SKIP-UNTIL=11,PART-HOLD-BACK=3', /CAN-SKIP-UNTIL/],
    [/VERSION:9/, 'VERSION:5', /version 6/],
    [/#EXT-X-PROGRAM.*\n/, '', /no date/],
    [/(?:#EXT-X-PART:.*\n)+/, '', /parts are missing/],
  ])('finds what is wrong with a media playlist: %s → %s', (good, bad, fault) => {
    expect(faultsIn(readMediaPlaylist(MEDIA.replace(good, bad))).join()).toMatch(fault);
  });

  it.each([
    [/SEQUENCE:7/, 'SEQUENCE:6', /went back/],
    [/TARGETDURATION:2/, 'TARGETDURATION:3', /target duration changed/],
    [/PART-TARGET=1/, 'PART-TARGET=1.1', /part target changed/],
    [/13:20/, '13:21', /another date/],
    [/EXTINF:2/, 'EXTINF:2.1', /changed/],
    [/#EXTINF:2,\n7.m4s\n/, '', /went away/],
  ])('finds what changed and must not: %s → %s', (good, bad, fault) => {
    const [earlier, later] = [readMediaPlaylist(MEDIA), readMediaPlaylist(MEDIA.replace(good, bad))];
    expect(faultsBetween(earlier, later).join()).toMatch(fault);
  });

  it.each([
    [/FRAME-RATE=30.000,/, '', /FRAME-RATE/],
    [/30.000/, '30.0', /FRAME-RATE/],
    [/,VIDEO-RANGE=SDR/, '', /VIDEO-RANGE/],
    [/,RESOLUTION=3x4/, '', /RESOLUTION/],
    [/CODECS=".*?",/, '', /CODECS/],
    [/AVERAGE-BANDWIDTH=8/, 'AVERAGE-BANDWIDTH=10', /average/],
    [/AUDIO="g"/, 'AUDIO="h"', /no group h/],
    [/(#EXT-X-MEDIA.*\n)/, '$1$1', /several defaults.*a name twice/],
  ])('finds what is wrong with a multivariant playlist: %s → %s', (good, bad, fault) => {
    expect(faultsInMultivariant(readMultivariant(MASTER.replace(good, bad))).join()).toMatch(fault);
  });

  it('finds reports that are missing, and codecs that are not what there is', () => {
    const master = readMultivariant(MASTER);
    expect(faultsInReports('a1.m3u8', master, readMediaPlaylist(MEDIA))).toEqual(['a1.m3u8 has no report of v0.m3u8']);
    const found = (...held: string[]) => faultsInCodecs(master, new Map([['v0.m3u8', held]])).length;
    expect([
      found('avc1.42c01e', 'ac-3'),
      found('avc1.42c01e'),
      found('avc1.42c01f', 'ac-3'),
      found('avc1.42c01e', 'ac-3', 'opus'),
    ]).toEqual([0, 1, 2, 1]);
  });
});
