import { describe, expect, it } from 'vitest';
import { object } from '../../src/protocol/amf0.ts';
import { encodeWhole } from '../../src/protocol/chunk-writer.ts';
import { status } from '../../src/protocol/status.ts';
import { media, ScriptedClient } from '../support/scripted-client.ts';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('createStream', () => {
  it('gives ids from 1 on, and those of deleted streams again', () => {
    const client = new ScriptedClient().connected();
    for (let i = 0; i < 3; i++) client.call('createStream', 2 + i, null);
    client.call('deleteStream', 0, null, [2]);
    client.call('createStream', 5, null);
    client.call('createStream', 6, null);
    expect(client.heard()).toEqual([
      '_result 2 null 1',
      '_result 3 null 2',
      '_result 4 null 3',
      '_result 5 null 2',
      '_result 6 null 4',
    ]);
  });

  it('gives eight and refuses the ninth', () => {
    const client = new ScriptedClient().connected();
    for (let i = 0; i < 9; i++) client.call('createStream', 2 + i, null);
    expect(client.heard().slice(7)).toEqual(['_result 9 null 8', '_error 10 null NetConnection.Call.Failed']);
  });

  it('may be left out: a NetStream comes into being by its use, up to the same limit', () => {
    const client = new ScriptedClient().connected();
    client.call('publish', 0, null, ['key'], { on: 5 });
    expect(client.heard()).toEqual(['onStatus@5 NetStream.Publish.Start']);
    for (let id = 11; id < 18; id++) client.call('play', 0, null, ['key'], { on: id });
    expect(() => client.call('play', 0, null, ['key'], { on: 18 })).toThrow(code('TOO_MANY_STREAMS'));
  });

  it.each(['publish', 'play'])('stays needed for %s on the connection itself', (name) => {
    const client = new ScriptedClient().connected();
    expect(() => client.call(name, 2, null, ['key'])).toThrow(code('STREAM_INVALID'));
  });
});

describe('several NetStreams', () => {
  it('publish and play side by side', () => {
    const client = new ScriptedClient().connected();
    for (let i = 0; i < 3; i++) client.call('createStream', 2 + i, null);
    client.call('publish', 5, null, ['a'], { on: 1 });
    client.call('play', 6, null, ['b', -1, -1, false], { on: 2 });
    client.call('publish', 7, null, ['c'], { on: 3 });
    expect(client.heard().slice(3)).toEqual([
      'onStatus@1 NetStream.Publish.Start',
      'streamBegin 2',
      'onStatus@2 NetStream.Play.Start',
      'data@2 |RtmpSampleAccess true true',
      'onStatus@3 NetStream.Publish.Start',
    ]);
    client.say(media(8, 1, undefined, 3));
    client.say(media(9, 2, undefined, 1));
    client.say(media(9, 3, undefined, 2));
    expect(client.eventsOf('media').map(({ streamId }) => streamId)).toEqual([3, 1]);
    client.call('FCUnpublish', 8, null, ['c']);
    expect(client.eventsOf('unpublish')).toEqual([{ type: 'unpublish', streamId: 3 }]);
  });
});

describe('publishing', () => {
  it.each([
    ['closeStream', [], 1],
    ['deleteStream', [1], 0],
    ['publish', [false], 1],
  ] as const)('ends with %s, once, and says so on the NetStream', (name, args, on) => {
    const client = new ScriptedClient().publishing();
    client.call(name, 0, null, args, { on });
    client.call(name === 'publish' ? 'closeStream' : name, 0, null, args, { on });
    expect(client.heard()).toEqual(['onStatus@1 NetStream.Unpublish.Success']);
    expect(client.eventsOf('unpublish')).toEqual([{ type: 'unpublish', streamId: 1 }]);
    client.say(media(8));
    expect(client.eventsOf('media')).toEqual([]);
  });

  it.each([
    ['key?token=1', 'key?token=1', true],
    ['key?token=1', 'key', true],
    ['key', 'key?token=1', true],
    ['key', 'other', false],
  ])('of %s ends with FCUnpublish of %s: %s', (name, withdrawn, ends) => {
    const client = new ScriptedClient().publishing(name);
    client.call('FCUnpublish', 9, null, [withdrawn]);
    expect(client.heard()[0]).toBe('_result 9 null undefined');
    expect(client.eventsOf('unpublish')).toHaveLength(ends ? 1 : 0);
  });

  it('can be taken up again on the same NetStream', () => {
    const client = new ScriptedClient().publishing();
    client.call('closeStream', 0, null, [], { on: 1 });
    client.call('publish', 9, null, ['again'], { on: 1 });
    client.say(media(8));
    expect(client.heard().at(-1)).toBe('onStatus@1 NetStream.Publish.Start');
    expect(client.eventsOf('media')).toHaveLength(1);
  });

  it.each([
    ['publish', ['other']],
    ['play', ['other']],
    ['pause', [true, 0]],
    ['seek', [0]],
  ])('leaves no room for %s on that NetStream', (name, args) => {
    const client = new ScriptedClient().publishing();
    expect(() => client.call(name, 9, null, args, { on: 1 })).toThrow(code('COMMAND_UNEXPECTED'));
  });

  it('refused leaves the NetStream usable', () => {
    const client = new ScriptedClient().connected();
    client.accepts = false;
    client.call('createStream', 2, null);
    client.call('publish', 3, null, ['taken'], { on: 1 });
    expect(client.session.reject(2, status('NetStream.Publish.BadName', 'already publishing'))).toBe(true);
    client.call('publish', 4, null, ['free'], { on: 1 });
    expect(client.session.accept(3)).toBe(true);
    expect(client.heard().slice(1)).toEqual([
      'onStatus@1 NetStream.Publish.BadName',
      'onStatus@1 NetStream.Publish.Start',
    ]);
  });

  it('must bring media within twenty seconds of its acceptance', () => {
    const late = new ScriptedClient().publishing();
    late.wait(19_999);
    late.control({ type: 'pingResponse', time: 0 });
    expect(() => late.wait(1)).toThrow(code('MEDIA_TIMEOUT'));

    const inTime = new ScriptedClient().publishing();
    inTime.wait(19_999);
    inTime.say(media(18));
    inTime.wait(60_000);
    expect(inTime.now).toBe(79_999);
  });

  it('owes no media any more once it ended', () => {
    const client = new ScriptedClient().publishing();
    client.call('deleteStream', 0, null, [1]);
    client.wait(60_000);
    expect(client.now).toBe(60_000);
  });

  it('stopped from our side drops what still comes, without a word', () => {
    const client = new ScriptedClient().publishing();
    client.session.stopStream(1);
    client.session.stopStream(1);
    client.session.stopStream(77);
    client.say(media(8));
    expect(client.heard()).toEqual([]);
    expect(client.eventsOf('media')).toEqual([]);
    client.wait(60_000);
  });

  it('passes zero-length audio on: it means silence', () => {
    const client = new ScriptedClient().publishing();
    client.say(media(8, 5, Buffer.alloc(0)));
    expect(client.eventsOf('media')[0]?.message).toMatchObject({ type: 8, timestamp: 5 });
  });

  it('tells media as frozen data whose payload is memory of its own', () => {
    const client = new ScriptedClient().publishing();
    const bytes = encodeWhole(media(8, 5, Buffer.from('payload')), 4, 128);
    const [event] = client.session.receive(bytes, 0);
    bytes.fill(0);
    expect(event).toEqual({ type: 'media', streamId: 1, message: media(8, 5, Buffer.from('payload')) });
    expect(Object.isFrozen(event)).toBe(true);
  });
});

describe('playing', () => {
  it('without reset gets no Play.Reset', () => {
    const client = new ScriptedClient().connected();
    client.call('play', 3, null, ['key', -2, -1, false], { on: 1 });
    expect(client.heard()).not.toContain('onStatus@1 NetStream.Play.Reset');
  });

  it.each([
    ['closeStream', [], 1],
    ['deleteStream', [1], 0],
    ['play', [false], 1],
  ] as const)('ends with %s, without an answer', (name, args, on) => {
    const client = new ScriptedClient().playing();
    client.call(name, 0, null, args, { on });
    expect(client.heard()).toEqual([]);
    expect(client.eventsOf('stopped')).toEqual([{ type: 'stopped', streamId: 1 }]);
  });

  it('something else stops what was played', () => {
    const client = new ScriptedClient().playing();
    client.call('play', 5, null, ['other'], { on: 1 });
    expect(client.events.map(({ type }) => type).slice(-2)).toEqual(['stopped', 'play']);
    expect(client.eventsOf('play')[1]).toMatchObject({ name: 'other' });
    expect(client.heard()).toContain('onStatus@1 NetStream.Play.Start');
  });

  it('something else by play2 does so too', () => {
    const client = new ScriptedClient().playing();
    client.call('play2', 0, null, [object({ streamName: 'high', oldStreamName: 'key', transition: 'switch' })], {
      on: 1,
    });
    expect(client.events.map(({ type }) => type).slice(-2)).toEqual(['stopped', 'play']);
    expect(client.heard()[0]).toBe('streamBegin 1');
  });

  it('pauses and goes on', () => {
    const client = new ScriptedClient().playing();
    client.call('pause', 0, null, [true, 1500], { on: 1 });
    client.call('pauseRaw', 0, null, [false, 1500], { on: 1 });
    expect(client.heard()).toEqual([
      'onStatus@1 NetStream.Pause.Notify',
      'streamEof 1',
      'onStatus@1 NetStream.Unpause.Notify',
      'streamBegin 1',
    ]);
    expect(client.eventsOf('pause').map(({ paused }) => paused)).toEqual([true, false]);
  });

  it('live has no other place to seek to', () => {
    const client = new ScriptedClient().playing();
    client.call('seek', 0, null, [5000], { on: 1 });
    expect(client.heard()).toEqual(['onStatus@1 NetStream.Seek.Failed']);
    expect(client.events.at(-1)).toEqual({ type: 'seek', streamId: 1, position: 5000 });
  });

  it('mutes one kind, now or beforehand', () => {
    const client = new ScriptedClient().connected();
    client.call('createStream', 2, null);
    client.call('receiveVideo', 0, null, [false], { on: 1 });
    client.call('receiveAudio', 0, null, [false], { on: 1 });
    client.call('receiveAudio', 0, null, [true], { on: 1 });
    expect(client.eventsOf('receive')).toEqual([]);
    client.call('play', 3, null, ['key'], { on: 1 });
    expect(client.events.at(-1)).toEqual({ type: 'receive', streamId: 1, kind: 'video', wanted: false });
    client.call('receiveVideo', 0, null, [true], { on: 1 });
    expect(client.events.at(-1)).toEqual({ type: 'receive', streamId: 1, kind: 'video', wanted: true });
    expect(client.eventsOf('receive')).toHaveLength(2);
  });

  it('is told how much the client buffers: with play what was said before, then what is said later', () => {
    const client = new ScriptedClient().connected();
    client.call('createStream', 2, null);
    client.control({ type: 'setBufferLength', streamId: 1, ms: 1000 });
    client.control({ type: 'setBufferLength', streamId: 1, ms: 1234 });
    expect(client.eventsOf('bufferLength')).toEqual([]);
    client.accepts = false;
    client.call('play', 3, null, ['key'], { on: 1 });
    expect(client.eventsOf('play')).toMatchObject([{ bufferMs: 1234 }]);
    for (const ms of [2000, 3000]) {
      client.control({ type: 'setBufferLength', streamId: 1, ms });
      client.session.accept(2);
    }
    expect(client.eventsOf('bufferLength').map(({ ms }) => ms)).toEqual([2000, 3000]);
  });

  it('is not told of buffers of other NetStreams, however many a client makes up', () => {
    const client = new ScriptedClient().publishing();
    for (const streamId of [0, 1, 2, 99]) client.control({ type: 'setBufferLength', streamId, ms: 1000 });
    expect(client.eventsOf('bufferLength')).toEqual([]);
    client.call('play', 4, null, ['key'], { on: 99 });
    expect(client.eventsOf('play')).toMatchObject([{ bufferMs: undefined }]);
  });

  it('leaves no room for publish on that NetStream', () => {
    const client = new ScriptedClient().playing();
    expect(() => client.call('publish', 5, null, ['x'], { on: 1 })).toThrow(code('COMMAND_UNEXPECTED'));
  });

  it('refused says why on the NetStream', () => {
    const client = new ScriptedClient().connected();
    client.accepts = false;
    client.call('createStream', 2, null);
    client.call('play', 3, null, ['key'], { on: 1 });
    client.session.reject(2, status('NetStream.Play.StreamNotFound', 'no such stream'));
    expect(client.heard().at(-1)).toBe('onStatus@1 NetStream.Play.StreamNotFound');
  });

  it('media goes out on chunk streams 4, 5 and 6 with whole headers', () => {
    const client = new ScriptedClient().playing();
    for (const type of [8, 18, 15, 9, 8]) client.session.sendMessage(media(type, 0x0100_0000));
    const headers = client.session.takeOutput().map((bytes) => bytes[0]);
    expect(headers).toEqual([4, 5, 5, 6, 4]);
  });
});

describe('idle and unknown NetStreams', () => {
  it.each(['pause', 'seek', 'receiveAudio', 'closeStream', 'deleteStream'])('let %s pass without a word', (name) => {
    const client = new ScriptedClient().connected();
    client.call('createStream', 2, null);
    client.heard();
    for (const on of [1, 6]) client.call(name, 0, null, [on], { on });
    expect(client.heard()).toEqual([]);
    expect(client.events.map(({ type }) => type)).toEqual(['connect']);
  });

  it('say once that media has no place there', () => {
    const client = new ScriptedClient().playing();
    for (const streamId of [0, 1, 2]) client.say(media(8, 0, undefined, streamId));
    expect(client.eventsOf('unhandled')).toHaveLength(1);
  });
});
