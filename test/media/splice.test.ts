import { describe, expect, it } from 'vitest';
import { MAX_SPLICE_BYTES, readSplice } from '../../src/media/splice.ts';
import {
  crc32,
  ELEMENTAL_OUT,
  INSERT_OUT,
  OPPORTUNITY_END,
  OPPORTUNITY_START,
  section,
  segmentation,
  spliceInsert,
  timeSignal,
} from '../support/splices.ts';

const base64 = (text: string): Buffer => Buffer.from(text, 'base64');
const marks = (bytes: Buffer) => readSplice(bytes)?.marks;
const PLAIN = { role: 'other', key: 'command', cancels: false, durationMs: undefined, returnsByItself: false };

describe('a splice_info_section', () => {
  it('of a splice_insert says which event leaves the programme, for how long, and whether it comes back by itself', () => {
    const out = { ...PLAIN, role: 'out', key: String(0x4800008f), durationMs: 60_294, returnsByItself: true };
    expect(marks(base64(INSERT_OUT))).toEqual([out]);
    const elemental = { ...PLAIN, role: 'out', key: '999', durationMs: 30_000, returnsByItself: true };
    expect(marks(Buffer.from(ELEMENTAL_OUT, 'hex'))).toEqual([elemental]);
    const waits = { ...PLAIN, role: 'out', key: '7', durationMs: 20_000 };
    expect(marks(spliceInsert(7, { seconds: 20 }))).toEqual([waits]);
    expect(marks(spliceInsert(7, { out: false }))).toEqual([{ ...PLAIN, role: 'in', key: '7' }]);
  });

  it('of a time_signal says the same by its segmentation descriptors, and pairs a beginning with its end', () => {
    const key = `${0x4800008e}-${0x34}`;
    expect(marks(base64(OPPORTUNITY_START))).toEqual([{ ...PLAIN, role: 'out', key, durationMs: 307_000 }]);
    expect(marks(base64(OPPORTUNITY_END))).toEqual([{ ...PLAIN, role: 'in', key }]);
  });

  it('has a mark for each descriptor; programmes and chapters leave nothing', () => {
    const all = timeSignal(segmentation(1, 0x10), segmentation(2, 0x22), segmentation(3, 0x31));
    expect(marks(all)?.map(({ role, key }) => `${role} ${key}`)).toEqual(['other 1-16', 'out 2-34', 'in 3-48']);
  });

  it('skips the components that a splice_insert or a descriptor may name', () => {
    const insert = Buffer.from([0, 0, 0, 9, 0x7f, 0xaf, 2, 1, 0xfe, 0, 0, 0, 0, 2, 0x7f, 0xfe, 0, 1, 0x5f, 0x90]);
    const rest = Buffer.from([0, 1, 0, 0]);
    expect(marks(section(5, Buffer.concat([insert, rest])))).toEqual([
      { ...PLAIN, role: 'out', key: '9', durationMs: 1_000, returnsByItself: true },
    ]);
    const component = Buffer.from([1, 5, 0xfe, 0, 0, 0, 0]);
    const tail = Buffer.from([0, 0, 0x30, 0, 0]);
    const head = Buffer.from([...Buffer.from('CUEI'), 0, 0, 0, 3, 0x7f, 0x3f]);
    const body = Buffer.concat([head, component, tail]);
    const descriptor = Buffer.concat([Buffer.from([2, body.length]), body]);
    expect(marks(timeSignal(descriptor))).toEqual([{ ...PLAIN, role: 'out', key: '3-48' }]);
  });

  it('may cancel an event', () => {
    expect(marks(spliceInsert(7, { cancels: true }))).toEqual([{ ...PLAIN, key: '7', cancels: true }]);
    expect(marks(timeSignal(segmentation(7, 0, true)))).toEqual([{ ...PLAIN, key: '7', cancels: true }]);
  });

  it('that says nothing has no marks; any other has one that says nothing more', () => {
    expect(marks(section(0, Buffer.alloc(0)))).toEqual([]);
    expect(marks(section(7, Buffer.alloc(0)))).toEqual([]);
    expect(marks(timeSignal())).toEqual([PLAIN]);
    expect(marks(section(0xff, Buffer.from('CUEIprivate')))).toEqual([PLAIN]);
    const encrypted = Buffer.from(timeSignal(segmentation(1, 0x30)));
    encrypted[4] = 0x80;
    expect(marks(encrypted)).toBeUndefined();
  });

  it('is read without the length of its command, which old senders do not know', () => {
    const known = base64(OPPORTUNITY_START);
    const unknown = section(6, known.subarray(14, 19), known.subarray(21, 51));
    unknown[11] = 0xff;
    unknown[12] = 0xff;
    expect(marks(sealed(unknown))).toEqual(marks(known));
  });

  it('ends where it says, whatever is behind it', () => {
    const known = base64(INSERT_OUT);
    expect(readSplice(Buffer.concat([known, Buffer.alloc(9)]))?.section).toEqual(known);
  });

  it('is refused with one wrong bit, cut short, or as another table', () => {
    const known = base64(INSERT_OUT);
    for (let i = 0; i < known.length; i++) {
      const wrong = Buffer.from(known);
      wrong[i] = wrong[i]! ^ 1;
      expect(readSplice(wrong)).toBeUndefined();
      expect(readSplice(known.subarray(0, i))).toBeUndefined();
    }
  });

  it('may have as many bytes as its limit, and not one more', () => {
    const overhead = section(0xff, Buffer.alloc(0)).length;
    expect(readSplice(section(0xff, Buffer.alloc(MAX_SPLICE_BYTES - overhead)))).toBeDefined();
    expect(readSplice(section(0xff, Buffer.alloc(MAX_SPLICE_BYTES - overhead + 1)))).toBeUndefined();
  });
});

/** With its checksum made anew. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}
