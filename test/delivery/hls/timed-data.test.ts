import { describe, expect, it } from 'vitest';
import { TIMED_DATA_LIMITS, TimedData } from '../../../src/delivery/hls/timed-data.ts';
import { frameFromMessage } from '../../../src/media/index.ts';
import { dateRangesIn } from '../../support/date-ranges.ts';
import { textIn } from '../../support/emsg.ts';
import { audio, metadata } from '../../support/frames.ts';
import { INSERT_OUT, spliceInsert } from '../../support/splices.ts';
import { adCue, cue, data, textData } from '../../support/timed.ts';

const { eventsPerSecond, maxAheadMs, maxUndated } = TIMED_DATA_LIMITS;
const starts = (it: TimedData): number[] =>
  dateRangesIn(it.dateRanges.lines(-Infinity).join('\n')).map((tag) => Date.parse(tag['START-DATE']!));

describe('timed data', () => {
  it('becomes cues, with the command as description and its parameters as text', () => {
    const it = new TimedData();
    const first = it.take(textData(40, 'a'), 10_040);
    const second = it.take(cue(50, 'b'), 10_050);
    expect([first, second].map((one) => [one?.id, one?.at])).toEqual([
      [0, 10_040],
      [1, 10_050],
    ]);
    expect(textIn(first!.tag)).toEqual({
      description: 'onTextData',
      value: '{"text":"a","language":"eng","trackid":1}',
    });
    expect([it.take(audio(0), 0), it.take(metadata(), 0)]).toEqual([undefined, undefined]);
  });

  it('becomes date ranges where it is SCTE-35, once it is known what time it is', () => {
    const it = new TimedData();
    expect(it.take(adCue(40, INSERT_OUT), 10_040)).toBeUndefined();
    expect(starts(it)).toEqual([]);
    it.settle((at) => at + 1_000_000);
    it.settle((at) => at + 2_000_000);
    expect(starts(it)).toEqual([1_010_040]);
  });

  it.each([
    [0, 0],
    [maxAheadMs, maxAheadMs],
    [maxAheadMs + 1, 0],
    [-1, 0],
  ])('takes a splice that says it is %i ms away for %i ms away', (away, taken) => {
    const it = new TimedData();
    it.take(adCue(100_000, spliceInsert(1), (100_000 + away) / 1000), 10_000);
    it.settle((at) => at);
    expect(starts(it)).toEqual([10_000 + taken]);
  });

  it('passes as many events in a second as its limit, and more as time passes, but not by time that goes back', () => {
    const it = new TimedData();
    const send = (at: number): boolean => it.take(textData(0, 'x'), at) !== undefined;
    const passed = (count: number, at: number): number =>
      Array.from({ length: count }, () => send(at)).filter(Boolean).length;
    expect(passed(eventsPerSecond + 1, 1_000)).toBe(eventsPerSecond);
    expect(passed(2, 1_000 + Math.ceil(1_000 / eventsPerSecond))).toBe(1);
    expect(passed(2, 0)).toBe(0);
    expect(passed(eventsPerSecond + 5, 60_000)).toBe(eventsPerSecond);
  });

  it('counts what cannot be read, but not what is no event by its name', () => {
    const it = new TimedData();
    const { type, payload } = textData(0, 'x');
    const broken = frameFromMessage({ type, streamId: 1, timestamp: 0, payload: payload.subarray(0, -4) });
    for (let i = 1; i < eventsPerSecond; i++) expect(it.take(broken, 0)).toBeUndefined();
    for (let i = 0; i < 100; i++) expect(it.take(data(0, 'onFI', 'x'), 0)).toBeUndefined();
    expect([it.take(textData(0, 'x'), 0)?.id, it.take(textData(0, 'x'), 0)]).toEqual([0, undefined]);
  });

  it('keeps so many splices until they can be dated, the newest, and none of a publisher that was replaced', () => {
    const it = new TimedData();
    for (let i = 0; i <= maxUndated; i++) it.take(adCue(0, spliceInsert(i)), i * 1_000);
    it.settle((at) => at);
    expect([starts(it).length, starts(it)[0]]).toEqual([maxUndated, 1_000]);
    const other = new TimedData();
    other.take(adCue(0, spliceInsert(1)), 0);
    other.interrupt();
    other.settle((at) => at);
    expect(starts(other)).toEqual([]);
  });
});
