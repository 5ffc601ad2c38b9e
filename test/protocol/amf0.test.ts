import { describe, expect, it } from 'vitest';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import {
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  AmfXml,
  decodeAmf0,
  ecmaArray,
  encodeAmf0,
  object,
} from '../../src/protocol/amf0.ts';
import type { AmfValue } from '../../src/protocol/amf0.ts';
import { fixture, hex } from '../support/fixture.ts';

/** ASCII as hex digits. */
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const decode = (digits: string): AmfValue[] => decodeAmf0(hex(digits));
const decodeOne = (digits: string): AmfValue => {
  const values = decode(digits);
  expect(values).toHaveLength(1);
  return values[0];
};

function codeOf(digits: string): string {
  try {
    decode(digits);
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

// By the layouts of AMF0, 2.2 to 2.18; the doubles are IEEE 754: 1.0 is 3ff0…, 4071.0 is 40afce….
const BOTH_WAYS: [string, AmfValue, string][] = [
  ['the transaction id of connect', 1, '00 3ff0000000000000'],
  ['FFmpeg’s audioCodecs', 4071, '00 40afce0000000000'],
  ['minus two, play’s "live or recorded"', -2, '00 c000000000000000'],
  ['not a number', Number.NaN, '00 7ff8000000000000'],
  ['true', true, '01 01'],
  ['false', false, '01 00'],
  ['a command’s name', 'connect', `02 0007 ${ascii('connect')}`],
  ['an empty string', '', '02 0000'],
  ['UTF-8, whose length is in bytes', 'é€', '02 0005 c3a9 e282ac'],
  ['null', null, '05'],
  ['undefined', undefined, '06'],
  [
    'an object',
    object({ app: 'live', fpad: false }),
    `03 0003 ${ascii('app')} 02 0004 ${ascii('live')} 0004 ${ascii('fpad')} 0100 000009`,
  ],
  ['an empty object', object({}), '03 000009'],
  ['an ECMA array', ecmaArray({ width: 1920 }), `08 00000001 0005 ${ascii('width')} 00 409e000000000000 000009`],
  ['a strict array', ['avc1', null], `0a 00000002 02 0004 ${ascii('avc1')} 05`],
  ['an empty strict array', [], '0a 00000000'],
  ['a date (2000-01-01), its time zone zero', new Date(946_684_800_000), '0b 426b8d59f5800000 0000'],
  ['XML', new AmfXml('<a/>'), `0f 00000004 ${ascii('<a/>')}`],
  ['a typed object', new AmfTypedObject('C', [['x', 0]]), `10 0001 43 0001 78 00 0000000000000000 000009`],
  ['a byte array, which only AMF3 has', Buffer.from([1, 2, 3]), '11 0c 07 010203'],
  [
    'objects inside objects',
    object({ a: object({ b: [object({})] }) }),
    '03 0001 61 03 0001 62 0a 00000001 03 000009 000009 000009',
  ],
];

describe('AMF0', () => {
  it.each(BOTH_WAYS)('says %s', (_, value, digits) => {
    expect(encodeAmf0(value)).toEqual(hex(digits));
    expect(decode(digits)).toStrictEqual([value]);
  });

  it('writes a string of 65535 bytes short and one of 65536 long', () => {
    expect(encodeAmf0('a'.repeat(65_535)).subarray(0, 4)).toEqual(hex('02 ffff 61'));
    expect(encodeAmf0('a'.repeat(65_536)).subarray(0, 6)).toEqual(hex('0c 00010000 61'));
    expect(decodeAmf0(encodeAmf0('a'.repeat(65_536)))).toEqual(['a'.repeat(65_536)]);
  });

  it('reads and writes values one after the other', () => {
    const values: AmfValue[] = ['onStatus', 0, null, object({ level: 'status' })];
    expect(decodeAmf0(encodeAmf0(...values))).toStrictEqual(values);
    expect(decode('')).toEqual([]);
    expect(encodeAmf0()).toEqual(Buffer.alloc(0));
  });

  it('reads the connect that rtmpdump 2.4 sends', () => {
    // Behind handshake and chunk header, without the c3 that begins the second chunk.
    const bytes = fixture('rtmpdump-play-connect').subarray(3073 + 12);
    const payload = Buffer.concat([bytes.subarray(0, 128), bytes.subarray(129)]);
    const properties = object({
      app: 'live',
      flashVer: 'LNX 10,0,32,18',
      tcUrl: payload.toString('latin1').match(/rtmp:\S+?live/)![0],
      fpad: false,
      capabilities: 15,
      audioCodecs: 3191,
      videoCodecs: 252,
      videoFunction: 1,
    });
    expect(decodeAmf0(payload)).toStrictEqual(['connect', 1, properties]);
    expect(encodeAmf0('connect', 1, properties)).toEqual(payload);
  });
});

describe('an AMF0 reader', () => {
  it('takes the count of an ECMA array for a hint', () => {
    for (const count of ['00000000', '00000001', '000003e8', 'ffffffff']) {
      const value = decodeOne(`08 ${count} 0001 61 0101 0001 62 0100 000009`);
      expect(value).toStrictEqual(ecmaArray({ a: true, b: false }));
    }
  });

  it.each(['', '00', '0000'])('tolerates an end marker cut to "%s" at the end of the bytes', (end) => {
    expect(decodeOne(`03 0001 61 0101 ${end}`)).toStrictEqual(object({ a: true }));
    expect(decodeOne(`08 00000001 0001 61 0101 ${end}`)).toStrictEqual(ecmaArray({ a: true }));
    expect(decodeOne(`03 0001 61 03 ${end}`)).toStrictEqual(object({ a: object({}) }));
  });

  it('keeps an empty key that has a value', () => {
    expect(decodeOne('03 0000 0101 000009')).toStrictEqual(object({ '': true }));
  });

  it('keeps the last of two equal keys, and the order of the first', () => {
    expect([...(decodeOne('03 0001 61 0100 0001 62 05 0001 61 0101 000009') as AmfObject)]).toEqual([
      ['a', true],
      ['b', null],
    ]);
  });

  it('has no prototype to be polluted by keys', () => {
    const value = decodeOne(
      `03 0009 ${ascii('__proto__')} 03 0001 61 0101 000009 000b ${ascii('constructor')} 05 000009`,
    );
    expect([...(value as AmfObject).keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
    expect((value as AmfObject).get('toString')).toBeUndefined();
    expect(encodeAmf0(value).length).toBeGreaterThan(20);
  });

  it('takes any byte but 0 for true', () => {
    expect(decode('01 02 01 ff 01 00')).toEqual([true, true, false]);
  });

  it('ignores the time zone of a date, which "should not be filled, nor used"', () => {
    expect(decodeOne('0b 426b8d59f5800000 fe20')).toStrictEqual(new Date('2000-01-01T00:00:00Z'));
  });

  it('reads "unsupported" as undefined', () => {
    expect(decode('0d 05')).toEqual([undefined, null]);
  });

  it('replaces ill-formed UTF-8 instead of failing', () => {
    expect(decodeOne('02 0003 61e962')).toBe('a\ufffdb');
  });

  it('reads a long string of few bytes', () => {
    expect(decodeOne('0c 00000002 6869')).toBe('hi');
  });

  it('does not keep the bytes it was given', () => {
    const bytes = hex('11 0c 07 010203');
    const [value] = decodeAmf0(bytes);
    bytes.fill(0);
    expect(value).toEqual(Buffer.from([1, 2, 3]));
  });
});

describe('an AMF0 reference', () => {
  it('stands for the object, array or typed object of that number, counted as they began', () => {
    const values = decode('0a 00000001 03 0001 61 0101 000009 07 0001 07 0000');
    expect(values).toStrictEqual([[object({ a: true })], object({ a: true }), [object({ a: true })]]);
  });

  it('gives a copy, so that values stay a tree', () => {
    const [first, second] = decode('03 000009 07 0000');
    expect(second).toStrictEqual(first);
    expect(second).not.toBe(first);
  });

  it('counts in the same order after another reference', () => {
    expect(decode('03 000009 07 0000 08 00000000 000009 07 0001')[3]).toBeInstanceOf(AmfEcmaArray);
  });

  it('to nothing, or to a value around it, is refused', () => {
    expect(codeOf('07 0000')).toBe('AMF_INVALID');
    expect(codeOf('03 000009 07 0001')).toBe('AMF_INVALID');
    expect(codeOf('0a 00000001 07 0000')).toBe('AMF_INVALID');
  });
});

describe('malformed AMF0', () => {
  it.each([
    '00 3ff00000000000',
    '01',
    '02',
    '02 00',
    '02 0002 61',
    '03 0001',
    '03 0001 61',
    '03 0001 61 00 00',
    '03 00 0009 05 00',
    '07 00',
    '08 000000',
    '0a 0000',
    '0a 00000002 05',
    '0a ffffffff 05',
    '0b 426b8d59f5800000 00',
    '0c 00000005 61',
    '0f 00000005 61',
    '10 0001',
    '11',
  ])('%s ends before its time', (digits) => {
    expect(codeOf(digits)).toBe('AMF_TRUNCATED');
  });

  it.each(['09', '12', '7f', 'ff', '000009'.slice(4)])('marker %s means nothing', (digits) => {
    expect(codeOf(digits)).toBe('AMF_INVALID');
  });

  it.each(['04', '0e'])('marker %s is reserved, and nobody says what follows', (digits) => {
    expect(codeOf(digits)).toBe('AMF_UNSUPPORTED');
  });
});

describe('an AMF0 writer', () => {
  it('refuses a value that contains itself', () => {
    const value = object({});
    value.set('self', value);
    expect(() => encodeAmf0(value)).toThrow(UsageError);
  });

  it('refuses a key that is too long for its length field, and takes one that just fits', () => {
    expect(() => encodeAmf0(object({ ['k'.repeat(65_536)]: 1 }))).toThrow(UsageError);
    expect(encodeAmf0(object({ ['k'.repeat(65_535)]: null })).length).toBe(1 + 2 + 65_535 + 1 + 3);
  });
});
