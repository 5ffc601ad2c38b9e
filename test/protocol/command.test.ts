import { describe, expect, it } from 'vitest';
import { object, type AmfValue } from '../../src/protocol/amf0.ts';
import { parseCommand } from '../../src/protocol/command.ts';

const parse = (name: string, ...args: AmfValue[]) =>
  parseCommand({ name, transactionId: 1, object: null, args, streamId: 1 });
const connect = (properties: AmfValue, ...args: AmfValue[]) =>
  parseCommand({ name: 'connect', transactionId: 1, object: properties, args, streamId: 0 });

describe('commands', () => {
  it.each([
    ['createStream', [null], { type: 'createStream' }],
    ['releaseStream', ['key'], { type: 'courtesy' }],
    ['_checkbw', [], { type: 'courtesy' }],
    ['FCSubscribe', ['key'], { type: 'courtesy' }],
    ['FCPublish', ['key'], { type: 'announce', name: 'key' }],
    ['FCUnpublish', ['key'], { type: 'withdraw', name: 'key' }],
    ['publish', ['key', 'live'], { type: 'publish', name: 'key', kind: 'live' }],
    ['publish', ['key', 'record'], { type: 'publish', name: 'key', kind: 'record' }],
    ['publish', ['key', 'append'], { type: 'publish', name: 'key', kind: 'append' }],
    ['publish', ['key', 'sideways'], { type: 'publish', name: 'key', kind: 'live' }],
    ['publish', ['key'], { type: 'publish', name: 'key', kind: 'live' }],
    ['publish', [42], { type: 'publish', name: '42', kind: 'live' }],
    ['publish', [], { type: 'publish', name: '', kind: 'live' }],
    ['publish', [false], { type: 'closeStream' }],
    ['play', ['key'], { type: 'play', name: 'key', start: -2, duration: -1, reset: true }],
    ['play', ['key', -2000, 5, false], { type: 'play', name: 'key', start: -2000, duration: 5, reset: false }],
    ['play', ['key', 0, -1, 0], { type: 'play', name: 'key', start: 0, duration: -1, reset: false }],
    ['play', ['key', 0, -1, 3], { type: 'play', name: 'key', start: 0, duration: -1, reset: true }],
    ['play', [false], { type: 'closeStream' }],
    ['closeStream', [], { type: 'closeStream' }],
    ['deleteStream', [3], { type: 'deleteStream', streamId: 3 }],
    ['deleteStream', [], { type: 'deleteStream', streamId: 1 }],
    ['pause', [true, 1500], { type: 'pause', paused: true, position: 1500 }],
    ['pause', [false], { type: 'pause', paused: false, position: 0 }],
    ['pauseRaw', [true, 1500], { type: 'pause', paused: true, position: 1500 }],
    ['seek', [9000], { type: 'seek', position: 9000 }],
    ['receiveAudio', [false], { type: 'receive', kind: 'audio', wanted: false }],
    ['receiveVideo', [true], { type: 'receive', kind: 'video', wanted: true }],
    ['getStreamLength', ['key'], { type: 'getStreamLength' }],
    ['_result', [], { type: 'answer' }],
    ['_error', [], { type: 'answer' }],
    ['onStatus', [], { type: 'answer' }],
    ['somethingElse', [1], { type: 'unknown' }],
    ['constructor', [], { type: 'unknown' }],
    ['__proto__', [], { type: 'unknown' }],
  ] as [string, AmfValue[], object][])('reads %s%j', (name, args, command) => {
    expect(parse(name, ...args)).toEqual(command);
  });

  it('reads play2 as a play, or as a stop', () => {
    const options = { oldStreamName: 'low', streamName: 'high', start: -2, len: -1 };
    const play = { type: 'play', name: 'high', start: -2, duration: -1 };
    expect(parse('play2', object({ ...options, transition: 'switch' }))).toEqual({ ...play, reset: false });
    expect(parse('play2', object({ ...options, transition: 'reset' }))).toEqual({ ...play, reset: true });
    expect(parse('play2', object({ ...options, transition: 'stop' }))).toEqual({ type: 'closeStream' });
    expect(parse('play2')).toEqual({ ...play, name: '', reset: false });
  });

  it('keeps all that came with connect', () => {
    const properties = object({ app: 'live?user=x/y', TCURL: 'rtmp://h/live?user=x/y', odd: 1 });
    expect(connect(properties, 'token', 7)).toEqual({
      type: 'connect',
      app: 'live?user=x/y',
      tcUrl: 'rtmp://h/live?user=x/y',
      properties,
      args: ['token', 7],
    });
  });

  it.each([
    ["'rtmp://h/live'", 'rtmp://h/live'],
    ['"rtmp://h/live"', 'rtmp://h/live'],
    ["rtmp://h/it's", "rtmp://h/it's"],
    ["'", "'"],
  ])('takes quotes off tcUrl %s', (tcUrl, plain) => {
    expect(connect(object({ app: 'live', tcUrl }))).toMatchObject({ tcUrl: plain });
  });

  it.each([
    [object({ app: '', tcUrl: 'rtmp://h/other' }), ''],
    [object({ tcUrl: 'rtmpts://h:443/live/inner?x=1' }), 'live/inner?x=1'],
    [object({ tcUrl: 'rtmp://h' }), ''],
    [object({}), ''],
    [null, ''],
  ])('finds the application of connect (%#)', (properties, app) => {
    expect(connect(properties)).toMatchObject({ app });
  });
});
