import { describe, expect, it } from 'vitest';
import { MAX_TIMED_EVENT_BYTES, readTimedEvent } from '../../src/media/timed-event.ts';
import { frameFromMessage } from '../../src/media/index.ts';
import { AmfXml, ecmaArray, encodeAmf0, object, type AmfValue } from '../../src/protocol/index.ts';
import { audio, key, metadata } from '../support/frames.ts';
import { ELEMENTAL_OUT, INSERT_OUT } from '../support/splices.ts';
import { adCue, cue, data, data3, textData } from '../support/timed.ts';

describe('an event in a data message', () => {
  it('has the name of its command, and what follows as JSON', () => {
    expect(readTimedEvent(textData(40, 'Grüße'))).toEqual({
      name: 'onTextData',
      text: '{"text":"Grüße","language":"eng","trackid":1}',
      splice: undefined,
      time: undefined,
    });
    const text = '{"name":"goal","time":1.5,"type":"event","parameters":{"team":"a"}}';
    expect(readTimedEvent(cue(1500, 'goal', { team: 'a' }))).toMatchObject({ name: 'onCuePoint', text, time: 1500 });
  });

  it('may come as type 15, with AMF3 in it', () => {
    expect(readTimedEvent(data3(0, 'onTextData', 'x'))).toMatchObject({ name: 'onTextData', text: '"x"' });
    const payload = Buffer.concat([Buffer.from([0]), encodeAmf0('onPoll'), Buffer.from([0x11, 6, 5, 0x68, 0x69])]);
    const amf3 = frameFromMessage({ type: 15, streamId: 1, timestamp: 0, payload });
    expect(readTimedEvent(amf3)).toMatchObject({ name: 'onPoll', text: '"hi"' });
  });

  it.each([
    [[], 'null'],
    [[null, 1, 'two'], '[null,1,"two"]'],
    [[[1, NaN, undefined]], '[1,null,null]'],
    [[new Date(0)], '"1970-01-01T00:00:00.000Z"'],
    [[new Date(NaN)], 'null'],
    [[new AmfXml('<a/>')], '"<a/>"'],
    [[object({ '': true })], '{"":true}'],
    [[ecmaArray({ '0': 'a' })], '{"0":"a"}'],
  ] as [AmfValue[], string][])('of %j is %s', (values, text) => {
    expect(readTimedEvent(data(0, 'onX', ...values))?.text).toBe(text);
  });

  it('keeps a key that would be special elsewhere', () => {
    const tricky = object({});
    tricky.set('__proto__', 1);
    expect(readTimedEvent(data(0, 'onX', tricky))?.text).toBe('{"__proto__":1}');
  });

  it.each([
    ['in base64 under "cue" (Adobe)', adCue(0, INSERT_OUT)],
    ['in base64 among the parameters of a cue point', cue(0, 'scte35', { id: '1', message: INSERT_OUT })],
    ['as a byte array', data(0, 'onScte35', Buffer.from(INSERT_OUT, 'base64'))],
  ])('has the SCTE-35 section %s', (_, frame) => {
    expect(readTimedEvent(frame)?.splice?.section.toString('base64')).toBe(INSERT_OUT);
  });

  it.each([ELEMENTAL_OUT, `0x${ELEMENTAL_OUT}`, ELEMENTAL_OUT.toLowerCase()])('has it in hexadecimal: %s', (text) => {
    expect(readTimedEvent(data(0, 'onCuePoint', object({ cue: text })))?.splice?.marks[0]?.key).toBe('999');
  });

  it('takes nothing for SCTE-35 whose checksum is wrong', () => {
    const wrong = INSERT_OUT.replace('AUsz1', 'AUsz2');
    expect(readTimedEvent(adCue(0, wrong))).toMatchObject({ name: 'onAdCue', splice: undefined });
  });

  it('is none in sound, pictures, metadata, what is stored, and what is about the playing', () => {
    const stored = data(0, '@setDataFrame', 'onTextData', object({ text: 'x' }));
    const about = [data(0, 'onStatus', null), data(0, '|RtmpSampleAccess', true, true)];
    for (const frame of [audio(0), key(0), metadata(), stored, ...about]) expect(readTimedEvent(frame)).toBeUndefined();
  });

  it('is none in what is for machines, has no proper name, or cannot be read', () => {
    const names = ['onFI', 'onCaption', 'onCaptionInfo', '', 'on Text', 'onÄ', 'x'.repeat(65)];
    for (const name of names) expect(readTimedEvent(data(0, name, 'x'))).toBeUndefined();
    expect(readTimedEvent(data(0, 'x'.repeat(64), 'x'))).toBeDefined();
    expect(readTimedEvent(data(0, 1))).toBeUndefined();
    const cut = textData(0, 'x').payload.subarray(0, -4);
    expect(readTimedEvent(frameFromMessage({ type: 18, streamId: 1, timestamp: 0, payload: cut }))).toBeUndefined();
  });

  it('may have as many bytes as its limit, as message and as text, and not one more', () => {
    const frame = (bytes: number) => data(0, 'onX', 'x'.repeat(bytes));
    const overhead = frame(0).payload.length;
    expect(readTimedEvent(frame(MAX_TIMED_EVENT_BYTES - overhead))).toBeDefined();
    expect(readTimedEvent(frame(MAX_TIMED_EVENT_BYTES - overhead + 1))).toBeUndefined();
    // A control character is one byte here and six in JSON.
    const control = (count: number) => data(0, 'onX', '\u0001'.repeat(count), '');
    const fits = Math.floor((MAX_TIMED_EVENT_BYTES - '["",""]'.length) / 6);
    expect(readTimedEvent(control(fits))).toBeDefined();
    expect(readTimedEvent(control(fits + 1))).toBeUndefined();
  });
});
