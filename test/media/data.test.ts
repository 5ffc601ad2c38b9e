import { describe, expect, it } from 'vitest';
import { asSetDataFrame, isAboutPlaying } from '../../src/media/data.ts';
import { string } from '../support/frames.ts';
import { frame, verdict } from '../support/verdict.ts';

describe('a data message', () => {
  const VALUE = Buffer.from([5]);

  it('is stored without its prefix when it is @setDataFrame', () => {
    const stored = frame(18, string('@setDataFrame'), string('onMetaData'), VALUE);
    expect(stored).toMatchObject({
      kind: 'data',
      type: 18,
      isConfig: true,
      configKey: 'data:onMetaData',
      clears: false,
    });
    expect(stored.payload).toEqual(Buffer.concat([string('onMetaData'), VALUE]));
  });

  it('keeps the format byte of type 15', () => {
    const stored = frame(15, [0], string('@setDataFrame'), string('onMetaData'), VALUE);
    expect(stored).toMatchObject({ type: 15, configKey: 'data:onMetaData' });
    expect(stored.payload).toEqual(Buffer.concat([Buffer.from([0]), string('onMetaData'), VALUE]));
  });

  it('reads type 15 without a format byte', () => {
    const stored = frame(15, string('@setDataFrame'), string('onMetaData'), VALUE);
    expect(stored.payload).toEqual(Buffer.concat([string('onMetaData'), VALUE]));
  });

  it('is stored when it is a bare onMetaData, in either type', () => {
    expect(frame(18, string('onMetaData'), VALUE).configKey).toBe('data:onMetaData');
    expect(frame(15, [0], string('onMetaData'), VALUE).configKey).toBe('data:onMetaData');
  });

  it('is stored under the name it gives', () => {
    expect(frame(18, string('@setDataFrame'), string('onTextData'), VALUE).configKey).toBe('data:onTextData');
  });

  it('forgets by @clearDataFrame', () => {
    const clear = frame(18, string('@clearDataFrame'), string('onMetaData'));
    expect(clear).toMatchObject({ clears: true, isConfig: false, configKey: 'data:onMetaData' });
    expect(frame(15, [0], string('@clearDataFrame'), string('onMetaData')).clears).toBe(true);
  });

  it.each([
    ['a cue point', Buffer.concat([string('onCuePoint'), VALUE])],
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from([2, 255, 255, 1])],
    ['a prefix with nothing behind it', string('@setDataFrame')],
    ['a prefix with a number behind it', Buffer.concat([string('@setDataFrame'), Buffer.alloc(9)])],
    ['a prefix with a name cut short', Buffer.concat([string('@setDataFrame'), Buffer.from([2, 0, 9, 0x6f])])],
    ['a prefix with an empty name', Buffer.concat([string('@setDataFrame'), Buffer.from([2, 0, 0])])],
    ['a clear without a name', string('@clearDataFrame')],
  ])('passes as it is when it is %s', (_name, payload) => {
    const passed = frame(18, payload);
    expect(verdict(passed)).toBe('plain');
    expect(passed.payload).toEqual(payload);
  });

  it('stores names of 64 bytes and no longer ones', () => {
    expect(frame(18, string('@setDataFrame'), string('n'.repeat(64))).isConfig).toBe(true);
    expect(frame(18, string('@setDataFrame'), string('n'.repeat(65))).isConfig).toBe(false);
  });
});

describe('a data message on its way to another server', () => {
  it('is put behind @setDataFrame as it was', () => {
    const body = Buffer.concat([string('onMetaData'), Buffer.from([5])]);
    const wrapped = Buffer.concat([string('@setDataFrame'), body]);
    expect(asSetDataFrame(18, body)).toEqual(wrapped);
    const zero = Buffer.from([0]);
    expect(asSetDataFrame(15, Buffer.concat([zero, body]))).toEqual(Buffer.concat([zero, wrapped]));
    expect(asSetDataFrame(15, body)).toEqual(wrapped);
  });

  it.each([
    ['|RtmpSampleAccess', true],
    ['onStatus', true],
    ['onCuePoint', false],
    ['onMetaData', false],
  ])("%s is about one player's playing: %s", (name, expected) => {
    expect(isAboutPlaying(18, string(name))).toBe(expected);
    expect(isAboutPlaying(15, Buffer.concat([Buffer.from([0]), string(name)]))).toBe(expected);
  });

  it('that is no message at all is not about playing', () => {
    expect([isAboutPlaying(18, Buffer.alloc(0)), isAboutPlaying(18, Buffer.from([2, 0, 9, 1]))]).toEqual([
      false,
      false,
    ]);
  });
});
