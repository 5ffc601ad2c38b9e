import { describe, expect, it } from 'vitest';
import { transferOf, videoRange } from '../../src/media/index.ts';
import { encodeAmf0, object } from '../../src/protocol/index.ts';

describe('colour told beside the bitstream', () => {
  const colour = (transferCharacteristics: number) =>
    encodeAmf0('colorInfo', object({ colorConfig: object({ bitDepth: 10, transferCharacteristics }) }));

  it.each([
    [16, 'PQ'],
    [18, 'HLG'],
    [1, 'SDR'],
  ])('with transfer characteristics %i is %s', (transfer, range) => {
    expect(transferOf(colour(transfer))).toBe(transfer);
    expect(videoRange(transferOf(colour(transfer)))).toBe(range);
  });

  it.each([
    ['an empty object, which takes it back', encodeAmf0('colorInfo', object({}))],
    ['Undefined, which does too', encodeAmf0('colorInfo', undefined)],
    ['the name alone', encodeAmf0('colorInfo')],
    ['something else', encodeAmf0('other', object({ colorConfig: object({ transferCharacteristics: 16 }) }))],
    [
      'a word for a number',
      encodeAmf0('colorInfo', object({ colorConfig: object({ transferCharacteristics: 'PQ' }) })),
    ],
    ['no AMF', Buffer.from([0xff, 1, 2])],
    ['nothing', Buffer.alloc(0)],
  ])('is not there in %s', (_, metadata) => {
    expect(transferOf(metadata)).toBeUndefined();
  });

  it('is read of a message that is cut short at any byte, or is not', () => {
    const whole = colour(16);
    for (let length = 0; length < whole.length; length++) transferOf(whole.subarray(0, length));
    expect(transferOf(whole)).toBe(16);
  });
});
