import { describe, expect, it } from 'vitest';
import { audioConfig, isSelfDescribing, soundSamples } from '../../src/media/index.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The beginnings of what FFmpeg 5.1 encodes (libmp3lame, ac3, eac3, flac), with the rates and channels it was told. */
const HEADS = [
  ['.mp3', 'fffb90640000026b0bce9d6060000000', 'mp4a.6B', 44_100, 2, 1152],
  ['.mp3', 'fff340c40014688670175818007fe4a0', 'mp4a.6B', 22_050, 1, 576],
  ['.mp3', 'ffe318c4000d20969c794c0000080b77', 'mp4a.6B', 8_000, 1, 576],
  ['ac-3', '0b77d0f81e40ebf8403eff99ff0841fc', 'ac-3', 48_000, 6, 1536],
  ['ac-3', '0b77c2ea544043e106f575f0c0c21818', 'ac-3', 44_100, 2, 1536],
  ['ac-3', '0b772fde8c402f842bf1cefab0fdf437', 'ac-3', 32_000, 1, 1536],
  ['ec-3', '0b77037f3f87c00020f8200002004000', 'ec-3', 48_000, 6, 1536],
  ['ec-3', '0b7701a07487c000208401003900ae06', 'ec-3', 44_100, 2, 1536],
] as const;

describe('sound that describes itself', () => {
  it.each(HEADS)('%s %s', (codec, head, codecString, sampleRate, channels, samples) => {
    const config = audioConfig(codec, undefined, hex(head))!;
    expect(config).toMatchObject({ codecString, sampleRate, channels });
    expect(soundSamples(config, hex(head))).toBe(samples);
    expect(isSelfDescribing(codec)).toBe(true);
  });

  it.each(HEADS)('is not taken for it when it is cut short, or none: %s %s', (codec, head) => {
    expect(audioConfig(codec, undefined, hex(head).subarray(0, 3))).toBeUndefined();
    expect(audioConfig(codec, undefined, Buffer.alloc(16))).toBeUndefined();
    expect(audioConfig(codec, hex(head))).toBeUndefined();
  });

  it('refuses what the standards reserve', () => {
    expect(audioConfig('.mp3', undefined, hex('ffeb9064'))).toBeUndefined();
    expect(audioConfig('.mp3', undefined, hex('fffd9064'))).toBeUndefined();
    expect(audioConfig('.mp3', undefined, hex('fffb9c64'))).toBeUndefined();
    expect(audioConfig('ac-3', undefined, hex('0b77d0f8de40ebf8'))).toBeUndefined();
    // AC-3 under the name of E-AC-3, and the other way round.
    expect(audioConfig('ec-3', undefined, hex(HEADS[3][1]))).toBeUndefined();
    expect(audioConfig('ac-3', undefined, hex(HEADS[6][1]))).toBeUndefined();
  });

  it('counts the blocks of all sync frames in a packet of E-AC-3, but not those of dependent substreams', () => {
    // Six bytes long (frmsiz 2); three blocks (numblkscod 2) each.
    const frame = (substream: number) => Buffer.from([0x0b, 0x77, substream, 2, 0x24, 0x80]);
    const config = audioConfig('ec-3', undefined, hex(HEADS[6][1]))!;
    expect(soundSamples(config, frame(0))).toBe(768);
    expect(soundSamples(config, Buffer.concat([frame(0), frame(0)]))).toBe(1536);
    expect(soundSamples(config, Buffer.concat([frame(0), frame(0x40), frame(0), frame(0x40)]))).toBe(1536);
    expect(soundSamples(config, Buffer.concat([frame(0), frame(8)]))).toBe(768);
  });
});

/** FFmpeg's `fLaC` and STREAMINFO: 44.1 kHz, stereo, blocks of 4608. */
const FLAC = hex('664c614300000022120012000004a30005080ac442f0000022745d105ceb212ad5d36e4f5608def3d8b7');

describe('FLAC', () => {
  it.each([
    ['with the mark', FLAC],
    ['without the mark', FLAC.subarray(4)],
    ['STREAMINFO alone', FLAC.subarray(8)],
    ['with more blocks behind', Buffer.concat([FLAC, Buffer.from([0x84, 0, 0, 2, 1, 2])])],
  ])('is read %s', (_, record) => {
    const config = audioConfig('fLaC', record)!;
    expect(config).toMatchObject({ codec: 'flac', codecString: 'fLaC', sampleRate: 44_100, channels: 2 });
    expect(config.packetSamples).toBe(4608);
    expect(Buffer.from(config.description!).toString('hex')).toBe(`664c614380${FLAC.toString('hex').slice(10)}`);
  });

  it.each(Array.from({ length: FLAC.length }, (_, length) => length))('is not read of its first %i bytes', (length) => {
    expect(audioConfig('fLaC', FLAC.subarray(0, length))?.description?.length ?? 0).toBe(0);
  });

  it('tells of each frame how long it is where they differ', () => {
    const differing = Buffer.from(FLAC);
    differing.writeUInt16BE(16, 8);
    const config = audioConfig('fLaC', differing)!;
    const samples = (head: string): number => soundSamples(config, hex(head));
    // The first two are FFmpeg's; the others by the table of RFC 9639, 9.1.1.
    expect(samples('fff85988008a4e00')).toBe(4608);
    expect(samples('fff8798801107332')).toBe(4212);
    expect(samples('fff81988008a4e00')).toBe(192);
    expect(samples('fff8c988008a4e00')).toBe(4096);
    expect(samples('fff86988c28080')).toBe(129);
    expect([samples('fff80988008a'), samples('fff8798801'), samples('0000')]).toEqual([0, 0, 0]);
  });
});

describe('AAC', () => {
  it.each([
    ['LC', '1210', 'mp4a.40.2', 44_100, 2, 1024],
    ['LC, frames of 960', '1214', 'mp4a.40.2', 44_100, 2, 960],
    // ISO/IEC 14496-3, 1.6.5: the three ways to say that high frequencies are added.
    ['HE, said first', '2b928800', 'mp4a.40.5', 22_050, 2, 1024],
    ['HE v2, said first', 'eb8a0800', 'mp4a.40.29', 22_050, 1, 1024],
    ['HE, said behind', '139056e5a0', 'mp4a.40.5', 22_050, 2, 1024],
    ['HE v2, said behind', '138856e5a548800', 'mp4a.40.29', 22_050, 1, 1024],
    ['not HE, though it could be', '139056e500', 'mp4a.40.2', 22_050, 2, 1024],
  ])('%s', (_, record, codecString, sampleRate, channels, packetSamples) => {
    const bytes = hex(record.padEnd(record.length + (record.length % 2), '0'));
    expect(audioConfig('mp4a', bytes)).toMatchObject({ codecString, sampleRate, channels, packetSamples });
  });

  it.each([
    ['Main', '0a10'],
    ['low delay', 'ba10'],
    ['nothing', '0000'],
  ])('%s is not carried', (_, record) => {
    expect(audioConfig('mp4a', hex(record))).toBeUndefined();
  });
});
