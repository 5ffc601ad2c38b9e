import { describe, expect, it } from 'vitest';
import { object } from '../../src/protocol/amf0.ts';
import { media } from '../support/scripted-client.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('what a client asks', () => {
  it('publish: FMLE order, then publish on the NetStream it was given', () => {
    const server = new ScriptedServer().connected();
    server.session.publish('key', 'append');
    expect(server.heard()).toEqual(['releaseStream 2 null key', 'FCPublish 3 null key', 'createStream 4 null']);
    server.call('_result', 2, null, [undefined]);
    server.call('_result', 4, null, [9]);
    expect(server.heard()).toEqual(['publish@9 5 null key append']);
    server.onStatus(9, 'status', 'NetStream.Publish.Start');
    expect(server.events.at(-1)).toEqual({ type: 'published', id: 2, streamId: 9 });
    server.session.deleteStream(9);
    expect(server.heard()).toEqual(['FCUnpublish 6 null key', 'deleteStream 9']);
    server.session.deleteStream(9);
    expect(server.heard()).toEqual([]);
  });

  it('play: with its options, and the buffer length behind it', () => {
    const server = new ScriptedServer().connected();
    server.session.play('key', { start: -1, duration: 9, reset: false, bufferMs: 100 });
    server.call('_result', 2, null, [1]);
    expect(server.heard()).toEqual(['createStream 2 null', 'play@1 3 null key -1 9 false', 'setBufferLength 1 100']);
    server.onStatus(1, 'status', 'NetStream.Play.Reset');
    expect(server.events.map(({ type }) => type)).toEqual(['status']);
    server.onStatus(1, 'status', 'NetStream.Play.PublishNotify');
    expect(server.events.at(-1)).toEqual({ type: 'playing', id: 2, streamId: 1 });
  });
});

describe('what servers do', () => {
  it('answers publish by _result alone', () => {
    const server = new ScriptedServer().connected();
    server.session.publish('key');
    server.call('_result', 4, null, [1]);
    server.call('_result', 5, null, [undefined]);
    expect(server.events).toEqual([{ type: 'published', id: 2, streamId: 1 }]);
  });

  it('puts the status on stream 0', () => {
    const server = new ScriptedServer().connected();
    server.session.play('key');
    server.call('_result', 2, null, [1]);
    server.onStatus(0, 'status', 'NetStream.Play.Start');
    expect(server.events.at(-1)).toEqual({ type: 'playing', id: 2, streamId: 1 });
  });

  it('refuses createStream', () => {
    const server = new ScriptedServer().connected();
    const id = server.session.publish('key');
    server.call('_error', 4, null, [object({ level: 'error', code: 'NetConnection.Call.Failed' })]);
    expect(server.events).toMatchObject([{ type: 'refused', id, what: 'publish', streamId: 0 }]);
  });

  it.each([[0], [-1], [Number.NaN], [2 ** 32], ['1'], [null]])('answers createStream with nonsense: %s', (id) => {
    const server = new ScriptedServer().connected();
    server.session.publish('key');
    expect(() => server.call('_result', 4, null, [id])).toThrow(code('RESULT_INVALID'));
  });

  it('names no NetStream yet: nothing on stream 0 belongs to one that is being created', () => {
    const server = new ScriptedServer().connected();
    server.session.play('key');
    server.session.closeStream(0);
    server.session.deleteStream(0);
    server.say(media(8, 0, undefined, 0));
    expect(server.heard()).toEqual(['createStream 2 null']);
    expect(server.events.map(({ type }) => type)).toEqual(['unhandled']);
  });

  it('ends a stream that plays, and one that publishes', () => {
    const server = new ScriptedServer().connected();
    server.session.play('key');
    server.call('_result', 2, null, [1]);
    server.onStatus(1, 'status', 'NetStream.Play.Start');
    server.events.length = 0;
    server.onStatus(1, 'status', 'NetStream.Play.UnpublishNotify');
    server.onStatus(1, 'error', 'NetStream.Play.Failed');
    server.control({ type: 'streamEof', streamId: 1 });
    expect(server.events).toMatchObject([
      { type: 'status', streamId: 1, status: { code: 'NetStream.Play.UnpublishNotify' } },
      { type: 'status', streamId: 1, status: { level: 'error', description: 'because' } },
      { type: 'eof', streamId: 1 },
    ]);
  });
});

describe('a server that does not answer', () => {
  it.each(['createStream', 'publish'])('%s has twenty, counted from when it was asked', (what) => {
    const server = new ScriptedServer().connected();
    server.wait(29_000);
    server.session.publish('key');
    expect(server.session.deadline()).toBe(0);
    server.wait(0);
    if (what === 'publish') server.call('_result', 4, null, [1]);
    server.wait(19_999);
    expect(() => server.wait(1)).toThrow(code('REQUEST_TIMEOUT'));
  });
});
