import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { AmfTypedObject, AmfXml, decodeAmf0, ecmaArray, encodeAmf0, object } from '../../src/protocol/amf0.ts';
import type { AmfValue } from '../../src/protocol/amf0.ts';
import { hex } from '../support/fixture.ts';

const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
/** Decodes AMF3 values, each behind AMF0's marker for it. */
const decode = (...values: string[]): AmfValue[] => decodeAmf0(hex(values.map((value) => `11 ${value}`).join(' ')));

function codeOf(...values: string[]): string {
  try {
    decode(...values);
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

/** A class "C" with the one member "x", not dynamic: traits flags 0b0001_0011. */
const C_TRAITS = '13 03 43 03 78';

describe('AMF3 behind marker 0x11', () => {
  // By the layouts of AMF3, 3.2 to 3.15. U29 lengths are shifted left by one, with a low bit for "not a reference".
  it.each<[string, AmfValue, string]>([
    ['undefined', undefined, '00'],
    ['null', null, '01'],
    ['false', false, '02'],
    ['true', true, '03'],
    ['a double', 1.5, '05 3ff8000000000000'],
    ['a string', 'live', `06 09 ${ascii('live')}`],
    ['an empty string', '', '06 01'],
    ['an XML document', new AmfXml('<a/>'), `07 09 ${ascii('<a/>')}`],
    ['XML', new AmfXml('<a/>'), `0b 09 ${ascii('<a/>')}`],
    ['a date', new Date(946_684_800_000), '08 01 426b8d59f5800000'],
    ['a dense array', [true, 5], '09 05 01 03 04 05'],
    ['an associative array', ecmaArray({ a: true }), '09 01 03 61 03 01'],
    ['an array of both kinds', ecmaArray({ a: true, 0: null }), '09 03 03 61 03 01 01'],
    ['an anonymous dynamic object', object({ a: true }), '0a 0b 01 03 61 03 01'],
    ['an object with sealed members', new AmfTypedObject('C', [['x', 7]]), `0a ${C_TRAITS} 04 07`],
    [
      'an object with sealed and dynamic members',
      new AmfTypedObject('C', [
        ['x', 7],
        ['y', true],
      ]),
      '0a 1b 03 43 03 78 04 07 03 79 03 01',
    ],
    ['a byte array', Buffer.from([1, 2, 3]), '0c 07 010203'],
    ['a vector of int', [-1, 1], '0d 05 00 ffffffff 00000001'],
    ['a vector of uint', [0xffff_ffff], '0e 03 01 ffffffff'],
    ['a vector of double', [1.5], '0f 03 00 3ff8000000000000'],
    ['a vector of objects', [null, true], '10 05 00 03 43 01 03'],
  ])('reads %s', (_, value, digits) => {
    expect(decode(digits)).toStrictEqual([value]);
  });

  // The borders of the four lengths (AMF3, 1.3.1), and the sign in the 29th bit.
  it.each([
    ['00', 0],
    ['7f', 0x7f],
    ['8100', 0x80],
    ['ff7f', 0x3fff],
    ['818000', 0x4000],
    ['ffff7f', 0x1f_ffff],
    ['80c08000', 0x20_0000],
    ['bfffffff', 0x0fff_ffff],
    ['c0808000', -0x1000_0000],
    ['ffffffff', -1],
  ])('reads integer %s as %i', (digits, value) => {
    expect(decode(`04 ${digits}`)).toEqual([value]);
  });

  it('switches for one value only', () => {
    expect(decodeAmf0(hex('11 04 05 00 3ff0000000000000 11 03 05'))).toEqual([5, 1, true, null]);
  });

  it('reads what is inside an AMF0 object', () => {
    expect(decodeAmf0(hex('03 0001 61 11 04 05 000009'))).toStrictEqual([object({ a: 5 })]);
  });

  it('reads the byte arrays that are written, at each length of the length', () => {
    for (const length of [0, 63, 64, 8191, 8192, 65_536]) {
      const bytes = Buffer.alloc(length, 7);
      expect(decodeAmf0(encodeAmf0(bytes))).toEqual([bytes]);
    }
    expect(encodeAmf0(Buffer.alloc(1_048_576)).subarray(0, 6)).toEqual(hex('11 0c 80c08001'));
  });
});

describe('AMF3 references', () => {
  it('name a string sent before, as value or as key, also in an earlier value', () => {
    expect(decode('09 05 01 06 03 61 06 00', '06 00', '0a 0b 01 00 03 01')).toStrictEqual([
      ['a', 'a'],
      'a',
      object({ a: true }),
    ]);
  });

  it('leave the empty string out of the count', () => {
    expect(decode('09 07 01 06 01 06 03 61 06 00')).toEqual([['', 'a', 'a']]);
  });

  it('name the traits of an earlier object', () => {
    expect(decode(`0a ${C_TRAITS} 04 07`, '0a 01 04 08')).toStrictEqual([
      new AmfTypedObject('C', [['x', 7]]),
      new AmfTypedObject('C', [['x', 8]]),
    ]);
  });

  it.each([
    ['a date', '08 01 426b8d59f5800000', '08 00'],
    ['an array', '09 03 01 03', '09 00'],
    ['an object', `0a ${C_TRAITS} 04 07`, '0a 00'],
    ['XML', `0b 09 ${ascii('<a/>')}`, '0b 00'],
    ['a byte array', '0c 07 010203', '0c 00'],
    ['a vector', '0d 03 00 00000001', '0d 00'],
  ])('name %s sent before', (_, value, reference) => {
    const [first, second] = decode(value, reference);
    expect(second).toStrictEqual(first);
    expect(second).not.toBe(first);
  });

  it('count objects as they began, and strings and traits once, however often they are repeated', () => {
    // Objects: 0 the array, 1 the object in it, which is read twice. Strings: "a", "b", then "C", "x". Traits: 0, then 1.
    const values = decode(
      '09 05 01 0a 0b 01 03 61 06 03 62 01 0a 02',
      `0a ${C_TRAITS} 04 07`,
      '09 00',
      '06 04',
      '0a 05 06 06',
    );
    const inner = object({ a: 'b' });
    expect(values).toStrictEqual([
      [inner, inner],
      new AmfTypedObject('C', [['x', 7]]),
      [inner, inner],
      'C',
      new AmfTypedObject('C', [['x', 'x']]),
    ]);
  });

  it('to nothing, or to a value around it, are refused', () => {
    expect(codeOf('06 00')).toBe('AMF_INVALID');
    expect(codeOf('0a 00')).toBe('AMF_INVALID');
    expect(codeOf('0a 01')).toBe('AMF_INVALID');
    expect(codeOf('09 03 01 09 00')).toBe('AMF_INVALID');
  });
});

describe('AMF3 that is not for us', () => {
  it('is refused by name when an object is externalizable', () => {
    const name = 'flex.messaging.io.ArrayCollection';
    const length = (name.length * 2 + 1).toString(16);
    expect(codeOf(`0a 07 ${length} ${ascii(name)} 09 01 01`)).toBe('AMF_UNSUPPORTED');
    expect(() => decode(`0a 07 ${length} ${ascii(name)} 09 01 01`)).toThrow(name);
  });

  it('is refused when it is a dictionary', () => {
    expect(codeOf('11 01 00')).toBe('AMF_UNSUPPORTED');
  });

  it.each(['12', '7f', 'ff'])('is refused when marker %s means nothing', (digits) => {
    expect(codeOf(digits)).toBe('AMF_INVALID');
  });

  it.each([
    '',
    '04',
    '04 80',
    '04 808080',
    '05 00',
    '06 09 61',
    '08 01 00',
    '09 05 01 03',
    '09 ffffffff 01',
    '09 01',
    '0a',
    '0a 0b',
    '0a 0b 01 03 61',
    '0a fffffff3 01',
    '0c 09 00',
    '0d 05 00 00000001',
    '0f fffffffd 00 00',
  ])('is refused when "%s" ends before its time', (digits) => {
    expect(codeOf(digits)).toBe('AMF_TRUNCATED');
  });
});
