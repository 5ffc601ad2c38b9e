import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packetsOf, videoConfig, videoRange } from '../../src/media/index.ts';
import { enhancedClip, type ClipKind } from '../support/enhanced-clip.ts';
import { has, missing } from '../support/programs.ts';

const KINDS: readonly (Omit<ClipKind, 'seconds'> & { readonly rate: number; readonly range: string })[] = [
  { video: 'avc1', fps: '30000/1001', rate: 30_000 / 1001, range: 'SDR' },
  { video: 'avc1', fps: '25', transfer: 'smpte2084', rate: 25, range: 'PQ' },
  { video: 'avc1', fps: '60', transfer: 'arib-std-b67', rate: 60, range: 'HLG' },
  { video: 'avc1', fps: '50', transfer: 'bt709', rate: 50, range: 'SDR' },
  { video: 'hvc1', fps: '24000/1001', transfer: 'smpte2084', rate: 24_000 / 1001, range: 'PQ' },
  { video: 'hvc1', fps: '50', transfer: 'arib-std-b67', bframes: 3, rate: 50, range: 'HLG' },
];

describe.skipIf(!has('ffmpeg'))(`What a bitstream says of how it is shown${missing('ffmpeg')}`, () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(KINDS)('$video at $fps, $transfer', async ({ rate, range, ...kind }) => {
    const [header] = await enhancedClip(folder, { ...kind, seconds: 0.2 });
    const { data, codec } = packetsOf(header!)[0]!;
    const config = videoConfig(codec, data)!;
    expect(config).toMatchObject({ width: 320, height: 240 });
    expect(config.frameRate).toBeCloseTo(rate, 3);
    expect(videoRange(config.transfer)).toBe(range);
  });

  it.each(['avc1', 'hvc1'] as const)('is not missed where it is not said, or cut off: %s', async (video) => {
    const [header] = await enhancedClip(folder, { video, transfer: 'smpte2084', seconds: 0.2 });
    const { data } = packetsOf(header!)[0]!;
    for (let length = 0; length <= data.length; length++) videoConfig(video, data.subarray(0, length));
    expect(videoConfig(video, data)?.transfer).toBe(16);
  });
});

/** A sequence header OBU by AV1, 5.5: 10 bits, 320x240, BT.2020 and PQ; every optional thing left out. */
function av1Keyframe(transfer: number | undefined): Buffer {
  const bits = [
    ...['000', '0', '0', '0', '0', '00000', '000000000000', '00000'],
    ...['1000', '0111', (319).toString(2).padStart(9, '0'), (239).toString(2).padStart(8, '0')],
    ...['0', '000', '0000', '0', '1', '1', '000', '1', '0'],
    ...(transfer === undefined ? ['0'] : ['1', '00001001', transfer.toString(2).padStart(8, '0'), '00001001']),
    '0000',
  ].join('');
  const bytes = bits.match(/.{1,8}/g)!.map((byte) => parseInt(byte.padEnd(8, '0'), 2));
  return Buffer.from([0x0a, bytes.length, ...bytes]);
}

describe('AV1', () => {
  it.each([
    [16, 'PQ'],
    [18, 'HLG'],
    [1, 'SDR'],
    [undefined, 'SDR'],
  ])('with transfer characteristics %s is %s', (transfer, range) => {
    const config = videoConfig('av01', undefined, av1Keyframe(transfer))!;
    expect(config).toMatchObject({ width: 320, height: 240, codecString: 'av01.0.00M.10' });
    expect([config.transfer, videoRange(config.transfer)]).toEqual([transfer, range]);
  });
});
