import { describe, expect, it } from 'vitest';
import { id3Text } from '../../../src/delivery/hls/id3.ts';
import { textIn } from '../../support/emsg.ts';

describe('an ID3 tag', () => {
  it('has one user-defined text in UTF-8', () => {
    // id3.org, "ID3 tag version 2.4.0", by hand.
    const expected = '4944330400000000001154585858000000070000036f6e58003232';
    expect(id3Text('onX', '22').toString('hex')).toBe(expected);
    expect(textIn(id3Text('onTextData', '{"text":"Grüße"}'))).toEqual({
      description: 'onTextData',
      value: '{"text":"Grüße"}',
    });
  });

  it.each([127 - 11, 128 - 11, 16_384 - 11, 20_000])('writes sizes seven bits a byte: a text of %i', (length) => {
    const tag = id3Text('x', 'v'.repeat(length));
    expect(textIn(tag).value.length).toBe(length);
    expect([...tag.subarray(6, 10), ...tag.subarray(14, 18)].every((byte) => byte < 128)).toBe(true);
  });
});
