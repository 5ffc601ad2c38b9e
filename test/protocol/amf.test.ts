import { describe, expect, it } from 'vitest';
import { LimitError } from '../../src/errors.ts';
import { AMF_LIMITS, AmfObject, decodeAmf0, ecmaArray, encodeAmf0, object } from '../../src/protocol/amf0.ts';
import type { AmfLimits, AmfValue } from '../../src/protocol/amf0.ts';
import { hex } from '../support/fixture.ts';

const decode = (digits: string, limits: Partial<AmfLimits> = {}): AmfValue[] =>
  decodeAmf0(hex(digits), { ...AMF_LIMITS, ...limits });

function codeOf(digits: string, limits: Partial<AmfLimits> = {}): string {
  try {
    decode(digits, limits);
  } catch (error) {
    if (error instanceof LimitError) return error.code;
    throw error;
  }
  return 'none';
}

/** One kind of container, so many times inside itself. */
const NESTED: [string, (depth: number) => string][] = [
  ['AMF0 objects', (depth) => '03 0001 61'.repeat(depth) + '05' + '000009'.repeat(depth)],
  ['AMF0 ECMA arrays', (depth) => '08 00000001 0001 61'.repeat(depth) + '05' + '000009'.repeat(depth)],
  ['AMF0 strict arrays', (depth) => '0a 00000001'.repeat(depth) + '05'],
  ['AMF0 typed objects', (depth) => '10 0001 43 0001 61'.repeat(depth) + '05' + '000009'.repeat(depth)],
  ['AMF3 arrays', (depth) => '11' + '09 03 01'.repeat(depth) + '01'],
  ['AMF3 objects', (depth) => '11' + '0a 0b 01 03 61'.repeat(depth) + '01' + '01'.repeat(depth)],
  ['AMF3 vectors', (depth) => '11' + '10 03 00 01'.repeat(depth) + '01'],
  ['AMF0 arrays around AMF3 arrays', (depth) => '0a 00000001'.repeat(depth - 3) + '11' + '09 03 01'.repeat(3) + '01'],
];

describe('the depth limit', () => {
  it.each(NESTED)('lets %s nest 16 deep and not 17', (_, digits) => {
    expect(codeOf(digits(16))).toBe('none');
    expect(codeOf(digits(17))).toBe('AMF_TOO_DEEP');
  });

  it('holds against 70,000 nested arrays, which felled others by their stack', () => {
    expect(codeOf('0a 00000001'.repeat(70_000))).toBe('AMF_TOO_DEEP');
    expect(codeOf('11' + '09 03 01'.repeat(70_000))).toBe('AMF_TOO_DEEP');
  });

  it('counts what a reference brings in', () => {
    // An array 15 deep; a reference to it from inside 1 container, then from inside 2.
    const chain = '0a 00000001'.repeat(15) + '05';
    expect(codeOf(`${chain} 0a 00000001 07 0000`)).toBe('none');
    expect(codeOf(`${chain} 0a 00000001 0a 00000001 07 0000`)).toBe('AMF_TOO_DEEP');
  });

  it('counts depth, not containers', () => {
    expect(codeOf('03 000009'.repeat(100))).toBe('none');
    expect(codeOf('03 0001 61 03 000009 000009'.repeat(2), { maxDepth: 2 })).toBe('none');
  });
});

describe('the limit of values', () => {
  it.each<[string, (count: number) => string]>([
    ['in a row', (count) => '05'.repeat(count)],
    ['in an AMF0 array', (count) => `0a ${(count - 1).toString(16).padStart(8, '0')}${'05'.repeat(count - 1)}`],
    ['in an AMF3 vector of int', (count) => `11 0d 8f7d 00 ${'00000000'.repeat(1022)}${'05'.repeat(count - 1024)}`],
  ])('lets 1024 %s pass and not 1025', (_, digits) => {
    expect(codeOf(digits(1024))).toBe('none');
    expect(codeOf(digits(1025))).toBe('AMF_TOO_MANY_VALUES');
  });

  it('counts what references bring in: a few bytes cannot unfold into millions of values', () => {
    // Each array holds the one before twice.
    const bomb = '0a 00000002 05 05' + Array.from({ length: 14 }, (_, i) => reference(i)).join('');
    expect(codeOf(bomb)).toBe('AMF_TOO_MANY_VALUES');
    function reference(i: number): string {
      const index = i.toString(16).padStart(4, '0');
      return `0a 00000002 07 ${index} 07 ${index}`;
    }
  });

  it('counts the members of AMF3 traits, which are strings only', () => {
    // One object, its members' names and their values; flags are (members << 4) | 3.
    expect(codeOf(`11 0a bf73 01 ${'01'.repeat(511)} ${'01'.repeat(511)}`)).toBe('none');
    expect(codeOf(`11 0a c003 01 ${'01'.repeat(512)} ${'01'.repeat(512)}`)).toBe('AMF_TOO_MANY_VALUES');
  });
});

describe('the limit of string bytes', () => {
  const length = (bytes: number): string => bytes.toString(16).padStart(8, '0');

  it.each<[string, (bytes: number) => string]>([
    ['a string', (bytes) => `0c ${length(bytes)} ${'61'.repeat(bytes)}`],
    ['XML', (bytes) => `0f ${length(bytes)} ${'61'.repeat(bytes)}`],
    ['a key', (bytes) => `03 ${length(bytes).slice(4)} ${'61'.repeat(bytes)} 05 000009`],
    ['an AMF3 string', (bytes) => `11 06 ${(bytes * 2 + 1).toString(16)} ${'61'.repeat(bytes)}`],
    ['an AMF3 byte array', (bytes) => `11 0c ${(bytes * 2 + 1).toString(16)} ${'61'.repeat(bytes)}`],
  ])('lets %s of that size pass and not one past it', (_, digits) => {
    expect(codeOf(digits(40), { maxStringBytes: 40 })).toBe('none');
    expect(codeOf(digits(41), { maxStringBytes: 40 })).toBe('AMF_STRING_TOO_LONG');
  });

  it('is 64 KiB by default, and told by the length alone', () => {
    expect(codeOf(`0c 00010000 ${'61'.repeat(65_536)}`)).toBe('none');
    expect(codeOf('0c 00010001')).toBe('AMF_STRING_TOO_LONG');
    expect(codeOf('0c ffffffff')).toBe('AMF_STRING_TOO_LONG');
  });

  it('bounds all that references repeat, taken together', () => {
    // The object is 10 bytes, the AMF3 string 5.
    const value = '03 0001 61 02 0000 000009';
    expect(codeOf(`${value} ${'07 0000'.repeat(4)}`, { maxStringBytes: 40 })).toBe('none');
    expect(codeOf(`${value} ${'07 0000'.repeat(5)}`, { maxStringBytes: 40 })).toBe('AMF_TOO_MANY_REFERENCES');
    const text = '11 06 0b 6161616161';
    expect(codeOf(text + '11 06 00'.repeat(8), { maxStringBytes: 40 })).toBe('none');
    expect(codeOf(text + '11 06 00'.repeat(9), { maxStringBytes: 40 })).toBe('AMF_TOO_MANY_REFERENCES');
  });
});

describe('building values', () => {
  it('keeps the order of the entries', () => {
    expect([...object({ b: 1, a: undefined }).keys()]).toEqual(['b', 'a']);
    expect(ecmaArray({ a: 1 })).toBeInstanceOf(AmfObject);
  });

  it('takes a decoded tree as it is', () => {
    const bytes = encodeAmf0(object({ a: [ecmaArray({ b: 1 })] }));
    expect(encodeAmf0(...decodeAmf0(bytes))).toEqual(bytes);
  });
});
