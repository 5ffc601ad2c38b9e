import { describe, expect, it } from 'vitest';
import { multivariantPlaylist, type Sound, type Variant } from '../../../src/delivery/hls/multivariant.ts';

const VIDEO: Variant = {
  ...{ uri: 'v0.m3u8', codecs: ['avc1.42c01e'], peak: 2_000, average: 1_000 },
  picture: { width: 3, height: 4, frameRate: 30_000 / 1001, range: 'SDR' },
};
const MIXED: Variant = { ...VIDEO, codecs: ['avc1.42c01e', 'mp4a.40.2'] };
const sound = (track: number, codec: string, more: Partial<Sound> = {}): Sound => ({
  ...{ uri: `a${track}.m3u8`, name: track === 0 ? 'Default' : `Track ${track}`, codec, channels: 2 },
  ...{ peak: 100, average: 50, isPlayedEverywhere: !/-3$|6B$/.test(codec) },
  ...more,
});
const DEFAULT = sound(0, 'mp4a.40.2', { uri: undefined, peak: 0, average: 0 });

const after = (variants: readonly Variant[], sounds: readonly Sound[]): string =>
  multivariantPlaylist(variants, sounds).replace('#EXTM3U\n#EXT-X-VERSION:7\n', '');

describe('a multivariant playlist', () => {
  it('has nothing to choose where there is one sound, in the variants', () => {
    expect(after([MIXED], [DEFAULT])).toBe(
      '#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=3x4,FRAME-RATE=29.970,VIDEO-RANGE=SDR\nv0.m3u8\n',
    );
  });

  it('names further sound, and counts it', () => {
    expect(after([MIXED], [DEFAULT, sound(1, 'opus')])).toBe(
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Track 1",DEFAULT=NO,AUTOSELECT=NO,CHANNELS="2",URI="a1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2100,AVERAGE-BANDWIDTH=1050,CODECS="avc1.42c01e,mp4a.40.2,opus",RESOLUTION=3x4,FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="sound"
v0.m3u8
`,
    );
  });

  it('has the picture alone for players that do not know the sound', () => {
    expect(after([VIDEO], [sound(0, 'ac-3', { channels: 6 })])).toBe(
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound-ac-3",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="6",URI="a0.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2100,AVERAGE-BANDWIDTH=1050,CODECS="avc1.42c01e,ac-3",RESOLUTION=3x4,FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="sound-ac-3"
v0.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1000,CODECS="avc1.42c01e",RESOLUTION=3x4,FRAME-RATE=29.970,VIDEO-RANGE=SDR
v0.m3u8
`,
    );
  });

  it('has each codec that not everybody plays in variants of its own, beside what everybody plays', () => {
    const text = after([MIXED], [DEFAULT, sound(1, 'ec-3'), sound(2, 'mp4a.40.2'), sound(3, 'mp4a.6B')]);
    expect([...text.matchAll(/GROUP-ID="(.*?)",NAME="(.*?)",DEFAULT=(\w+)/g)].map((found) => found.slice(1))).toEqual([
      ['sound', 'Default', 'YES'],
      ['sound', 'Track 2', 'NO'],
      ['sound-ec-3', 'Default', 'YES'],
      ['sound-ec-3', 'Track 1', 'NO'],
      ['sound-ec-3', 'Track 2', 'NO'],
      ['sound-mp4a.6B', 'Default', 'YES'],
      ['sound-mp4a.6B', 'Track 2', 'NO'],
      ['sound-mp4a.6B', 'Track 3', 'NO'],
    ]);
    expect([...text.matchAll(/CODECS="(.*?)".*AUDIO="(.*?)"/g)].map((found) => found.slice(1))).toEqual([
      ['avc1.42c01e,mp4a.40.2', 'sound'],
      ['avc1.42c01e,mp4a.40.2,ec-3', 'sound-ec-3'],
      ['avc1.42c01e,mp4a.40.2,mp4a.6B', 'sound-mp4a.6B'],
    ]);
  });

  it('says nothing of pictures where there are none', () => {
    expect(after([{ ...VIDEO, uri: 'a0.m3u8', codecs: ['opus'], picture: undefined }], [])).toBe(
      '#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1000,CODECS="opus"\na0.m3u8\n',
    );
  });
});
