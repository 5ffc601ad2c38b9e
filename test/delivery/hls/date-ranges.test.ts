import { describe, expect, it } from 'vitest';
import { DATE_RANGE_LIMITS, DateRanges } from '../../../src/delivery/hls/date-ranges.ts';
import { readSplice } from '../../../src/media/index.ts';
import { dateRangeFaults, dateRangesIn } from '../../support/date-ranges.ts';
import { segmentation, spliceInsert, timeSignal } from '../../support/splices.ts';

const NOON = Date.UTC(2026, 7, 1, 12);
const { maxRanges, maxOverrunMs, maxOpenMs, repeatMs } = DATE_RANGE_LIMITS;

/** Date ranges, and shorter ways to say things to them: seconds from noon. */
function stage() {
  const ranges = new DateRanges();
  const add = (section: Buffer, seconds: number, said = seconds): void =>
    ranges.add(readSplice(section)!, NOON + seconds * 1000, NOON + said * 1000);
  const tags = (from = -Infinity) => {
    const text = ['#EXT-X-PROGRAM-DATE-TIME:', ...ranges.lines(NOON + from * 1000)].join('\n');
    expect(dateRangeFaults(text)).toEqual([]);
    return dateRangesIn(text);
  };
  return { ranges, add, tags };
}

const hex = (section: Buffer): string => `0x${section.toString('hex').toUpperCase()}`;
const iso = (seconds: number): string => new Date(NOON + seconds * 1000).toISOString();

describe('a break', () => {
  it('is announced, and ended by a second tag with the same id: what was said is not changed', () => {
    const { add, ranges } = stage();
    const [out, back] = [spliceInsert(7, { seconds: 30 }), spliceInsert(7, { out: false })];
    add(out, 10, 4);
    const id = `ID="7-${NOON + 10_000}",START-DATE="2026-08-01T12:00:10.000Z"`;
    const announced = `#EXT-X-DATERANGE:${id},PLANNED-DURATION=30,SCTE35-OUT=${hex(out)}`;
    expect(ranges.lines(NOON)).toEqual([announced]);
    add(back, 40.5, 36);
    const ended = `#EXT-X-DATERANGE:${id},END-DATE="2026-08-01T12:00:40.500Z",DURATION=30.5,SCTE35-IN=${hex(back)}`;
    expect(ranges.lines(NOON)).toEqual([announced, ended]);
  });

  it('is paired by event and segmentation type: two of one section are ranges of their own', () => {
    const { add, tags } = stage();
    const both = timeSignal(segmentation(1, 0x22), segmentation(1, 0x30));
    add(both, 0);
    add(timeSignal(segmentation(1, 0x31)), 20);
    expect(tags().map(({ ID, ...rest }) => [ID, rest['SCTE35-OUT'], rest.DURATION])).toEqual([
      [`1-34-${NOON}`, hex(both), undefined],
      [`1-48-${NOON}`, hex(both), undefined],
      [`1-48-${NOON}`, undefined, '20'],
    ]);
  });

  it('that is said again is no other, before and during it; nor is its end', () => {
    const { add, tags } = stage();
    for (const at of [0, 2, 20]) add(spliceInsert(7, { seconds: 30 }), at);
    for (const at of [30, 32, 30 + repeatMs / 1000 - 0.001]) add(spliceInsert(7, { out: false }), at);
    expect(tags().length).toBe(2);
  });

  it('may have the number of an earlier one, and another id then', () => {
    const { add, tags } = stage();
    for (const at of [0, 3]) {
      add(spliceInsert(1, { seconds: 2 }), at);
      add(spliceInsert(1, { out: false }), at + 2);
    }
    expect(new Set(tags().map(({ ID }) => ID)).size).toBe(2);
    expect(tags().filter(({ DURATION }) => DURATION === '2').length).toBe(2);
  });

  it('is ended by a splice_insert of another number if it is the only one', () => {
    const { add, tags } = stage();
    add(spliceInsert(1), 0);
    add(spliceInsert(2, { out: false }), 15);
    expect(tags()[1]).toMatchObject({ ID: `1-${NOON}`, DURATION: '15' });
    add(spliceInsert(3), 100);
    add(spliceInsert(4), 100);
    add(spliceInsert(5, { out: false }), 115);
    expect(tags().at(-1)).toMatchObject({ ID: `5-${NOON + 115_000}`, DURATION: '0' });
  });

  it('of which only the end is known is a range of no length', () => {
    const { add, tags } = stage();
    const back = timeSignal(segmentation(9, 0x35));
    add(back, 5);
    const range = { ID: `9-52-${NOON + 5_000}`, 'START-DATE': iso(5), 'END-DATE': iso(5), DURATION: '0' };
    expect(tags()).toEqual([{ ...range, 'SCTE35-IN': hex(back) }]);
  });

  it('that is cancelled before it begins is not shown any more; afterwards it has happened', () => {
    const { add, tags } = stage();
    add(spliceInsert(7), 10, 4);
    add(timeSignal(segmentation(8, 0x34)), 10, 4);
    add(spliceInsert(70), 10, 4);
    add(spliceInsert(7, { cancels: true }), 8);
    add(timeSignal(segmentation(8, 0, true)), 8);
    expect(tags().map(({ ID }) => ID)).toEqual([`70-${NOON + 10_000}`]);
    add(spliceInsert(70, { cancels: true }), 10);
    expect(tags().length).toBe(1);
  });
});

describe('any other command', () => {
  it('is a tag of its own, once', () => {
    const { add, tags } = stage();
    const chapter = timeSignal(segmentation(3, 0x20));
    for (const at of [0, 1, repeatMs / 1000 - 0.001]) add(chapter, at);
    expect(tags()).toEqual([{ ID: `3-32-${NOON}`, 'START-DATE': iso(0), 'SCTE35-CMD': hex(chapter) }]);
    add(chapter, repeatMs / 1000);
    expect(tags().length).toBe(2);
  });

  it('has an id of its own beside another of the same moment', () => {
    const { add, tags } = stage();
    add(timeSignal(), 0);
    add(timeSignal(Buffer.from([0x80, 1, 0])), 0);
    expect(tags().map(({ ID }) => ID)).toEqual([`command-${NOON}`, `command-${NOON}-2`]);
  });
});

describe('date ranges', () => {
  it.each([
    ['its end', [spliceInsert(1, { seconds: 30 }), spliceInsert(1, { out: false })], 20],
    ['its planned end, if it comes back by itself', [spliceInsert(1, { seconds: 30, returns: true })], 30],
    ['its planned end and some more, if not', [spliceInsert(1, { seconds: 30 })], 30 + maxOverrunMs / 1000],
    ['long enough, if no end is known', [spliceInsert(1)], maxOpenMs / 1000],
    ['its moment', [timeSignal()], 0],
  ])('leave the playlist when it begins after %s', (_, sections, end) => {
    const { add, tags } = stage();
    for (const [index, section] of sections.entries()) add(section, index * 20);
    expect(tags(end).length).toBe(sections.length);
    expect(tags(end + 0.001)).toEqual([]);
  });

  it('are at most so many: the oldest go', () => {
    const { add, tags } = stage();
    for (let i = 0; i < maxRanges; i++) add(spliceInsert(i), i);
    expect([tags().length, tags()[0]!.ID]).toEqual([maxRanges, `0-${NOON}`]);
    add(spliceInsert(maxRanges), maxRanges);
    expect([tags().length, tags()[0]!.ID]).toEqual([maxRanges, `1-${NOON + 1_000}`]);
  });
});
