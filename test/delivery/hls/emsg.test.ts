import { describe, expect, it } from 'vitest';
import { emsgBox, withCueBrand } from '../../../src/delivery/hls/emsg.ts';
import { boxesIn, cuesIn } from '../../support/emsg.ts';

describe('an event message box', () => {
  it('is of version 1, names its scheme, and has its time in milliseconds', () => {
    const tag = Buffer.from('ID3…');
    const box = emsgBox({ id: 7, at: 2 ** 33 + 5, tag });
    const scheme = 'https://aomedia.org/emsg/ID3';
    const fields = { timescale: 1000, time: 2 ** 33 + 5, duration: 0xffffffff, id: 7, scheme, value: '' };
    expect(cuesIn(box)).toEqual([{ ...fields, message: tag }]);
  });
});

describe('an initialisation', () => {
  it('is told to have the brand of ID3 in it, and else left as it was', () => {
    const ftyp = Buffer.concat([
      Buffer.from([0, 0, 0, 20]),
      Buffer.from('ftypiso5'),
      Buffer.alloc(4),
      Buffer.from('cmfc'),
    ]);
    const moov = Buffer.concat([Buffer.from([0, 0, 0, 12]), Buffer.from('moovxxxx')]);
    const [first, second] = boxesIn(withCueBrand(Buffer.concat([ftyp, moov])));
    expect(first!.body.toString('latin1')).toBe('iso5\0\0\0\0cmfcaid3');
    expect(second!.body.toString()).toBe('xxxx');
  });
});
