import { describe, expect, it } from 'vitest';
import { encodeAmf0, object, type AmfValue } from '../../src/protocol/amf0.ts';
import { property } from '../../src/protocol/call.ts';
import { MessageType } from '../../src/protocol/message.ts';
import { SESSION_DEFAULTS } from '../../src/protocol/session-options.ts';
import { status } from '../../src/protocol/status.ts';
import { hex } from '../support/fixture.ts';
import { media, ScriptedClient } from '../support/scripted-client.ts';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const APP = object({ app: 'live' });

/** A client whose requests nobody answers. */
function undecided(): ScriptedClient {
  const client = new ScriptedClient();
  client.accepts = false;
  return client.shakeHands();
}

describe('connect', () => {
  it('is a request with everything that came with it, frozen', () => {
    const client = undecided();
    client.call('connect', 1, object({ app: 'live', odd: true }), ['token', 5]);
    const [request] = client.events;
    expect(request).toEqual({
      type: 'connect',
      id: 1,
      app: 'live',
      tcUrl: '',
      properties: object({ app: 'live', odd: true }),
      args: ['token', 5],
    });
    expect(Object.isFrozen(request)).toBe(true);
    expect(client.heard()).toEqual([]);
  });

  it('is answered with the transaction it came with, in small chunks only until the chunk size is announced', () => {
    const client = undecided();
    client.call('connect', 7, object({ app: 'live', fourCcList: Array.from({ length: 32 }, () => 'hvc1') }));
    expect(client.session.outgoingChunkSize).toBe(128);
    client.session.accept(1);
    expect(client.session.outgoingChunkSize).toBe(SESSION_DEFAULTS.chunkSize);
    expect(client.heard().at(-1)).toBe('_result 7 {fmsVer capabilities mode} NetConnection.Connect.Success');
  });

  it('answers object encoding 0, and nothing of Enhanced RTMP to those that did not ask', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object({ app: 'live', objectEncoding: 3 }));
    client.heard();
    const info = client.lastCall('_result')?.args[0] as Map<string, AmfValue>;
    expect([...info.keys()]).toEqual(['level', 'code', 'description', 'objectEncoding']);
    expect(property(client.lastCall('_result')?.args[0], 'objectEncoding')).toBe(0);
  });

  it('refused gets _error and wants closing; what still comes is not read', () => {
    const client = undecided();
    client.call('connect', 3, APP);
    expect(client.session.wantsClose).toBe(false);
    expect(client.session.reject(1, status('NetConnection.Connect.Rejected', 'not you'))).toBe(true);
    expect(client.session.wantsClose).toBe(true);
    expect(client.heard()).toEqual(['_error 3 null NetConnection.Connect.Rejected']);
    expect(property(client.lastCall('_error')?.args[0], 'level')).toBe('error');
    expect(property(client.lastCall('_error')?.args[0], 'description')).toBe('not you');
    client.call('createStream', 4, null);
    client.send(hex('c5ffffff'));
    client.wait(1e6);
    expect(client.heard()).toEqual([]);
    expect(client.events).toHaveLength(1);
  });

  it('can be answered once', () => {
    const client = undecided();
    client.call('connect', 1, APP);
    expect(client.session.accept(2)).toBe(false);
    expect(client.session.accept(1)).toBe(true);
    expect(client.session.accept(1)).toBe(false);
    expect(client.session.reject(1, status('NetConnection.Connect.Rejected'))).toBe(false);
  });

  it('has ten seconds from the handshake on', () => {
    const client = new ScriptedClient();
    client.now = 4000;
    client.shakeHands();
    client.wait(9999);
    expect(() => client.wait(1)).toThrow(code('CONNECT_TIMEOUT'));
  });

  it('may take us as long as we like', () => {
    const client = undecided();
    client.call('connect', 1, APP);
    client.wait(1e7);
    client.session.accept(1, client.now);
    expect(client.session.deadline()).toBe(client.now + 20_000);
  });

  it('must be followed by publish or play within twenty seconds', () => {
    const client = new ScriptedClient().connected();
    client.call('createStream', 2, null);
    client.wait(19_999);
    expect(() => client.wait(1)).toThrow(code('REQUEST_TIMEOUT'));
  });
});

describe('what comes behind an open request', () => {
  it('waits for it, in order', () => {
    const client = undecided();
    client.call('connect', 1, APP);
    client.call('createStream', 2, null);
    client.call('publish', 3, null, ['key'], { on: 1 });
    client.say(media(8, 10));
    client.say(media(9, 20));
    expect(client.events.map(({ type }) => type)).toEqual(['connect']);

    client.session.accept(1);
    expect(client.session.deadline()).toBe(0);
    client.wait(0);
    expect(client.heard().at(-1)).toBe('_result 2 null 1');
    expect(client.events.map(({ type }) => type)).toEqual(['connect', 'publish']);

    client.session.accept(2);
    client.wait(0);
    expect(client.eventsOf('media').map(({ message }) => message.timestamp)).toEqual([10, 20]);
  });

  it('is told at the latest with the next bytes', () => {
    const client = undecided();
    client.call('connect', 1, APP);
    client.call('createStream', 2, null);
    client.call('publish', 3, null, ['key'], { on: 1 });
    client.session.accept(1);
    const events = client.session.receive(client.bytesOf('_checkbw', 4, null), 0);
    expect(events.map(({ type }) => type)).toEqual(['publish']);
  });

  it('and belongs to a refused publisher is dropped', () => {
    const client = new ScriptedClient().connected();
    client.accepts = false;
    client.call('createStream', 2, null);
    client.call('publish', 3, null, ['key'], { on: 1 });
    client.say(media(8, 10));
    client.session.reject(2, status('NetStream.Publish.BadName', 'taken'));
    client.wait(0);
    expect(client.heard()).toEqual(['_result 2 null 1', 'onStatus@1 NetStream.Publish.BadName']);
    expect(client.eventsOf('media')).toEqual([]);
    expect(client.eventsOf('unhandled')).toHaveLength(1);
  });

  it('does not hold up media of another NetStream', () => {
    const client = new ScriptedClient().publishing();
    client.accepts = false;
    client.call('createStream', 4, null);
    client.call('publish', 5, null, ['second'], { on: 2 });
    client.say(media(8, 10, undefined, 1));
    client.say(media(8, 11, undefined, 2));
    expect(client.eventsOf('media').map(({ streamId }) => streamId)).toEqual([1]);
    client.session.accept(3);
    client.wait(0);
    expect(client.eventsOf('media').map(({ streamId }) => streamId)).toEqual([1, 2]);
  });

  it('may be 64 commands and not one more', () => {
    const client = undecided();
    client.call('connect', 1, APP);
    for (let i = 0; i < 64; i++) client.call('_checkbw', 2 + i, null);
    expect(() => client.call('_checkbw', 66, null)).toThrow(code('TOO_MANY_PENDING'));
  });

  it('may be so many bytes of media, and the rest is dropped', () => {
    const client = new ScriptedClient({ maxHeldBytes: 2000 }).connected();
    client.accepts = false;
    client.call('createStream', 2, null);
    client.call('publish', 3, null, ['key'], { on: 1 });
    for (let i = 0; i < 5; i++) client.say(media(8, i, Buffer.alloc(300)));
    client.session.accept(2);
    client.wait(0);
    expect(client.eventsOf('media').map(({ message }) => message.timestamp)).toEqual([0, 1, 2, 3]);
    client.say(media(8, 9));
    expect(client.eventsOf('media')).toHaveLength(5);
  });

  it('breaks no rule until it is read', () => {
    const client = undecided();
    client.call('connect', 1, APP);
    client.call('connect', 2, APP);
    client.session.accept(1);
    expect(client.session.deadline()).toBe(0);
    expect(() => client.session.tick(0)).toThrow(code('COMMAND_UNEXPECTED'));
  });
});

describe('the phases of a connection', () => {
  it.each(['createStream', 'releaseStream', 'publish', 'play', '_checkbw', 'deleteStream', 'anything', '_result'])(
    'has no room for %s before connect',
    (name) => {
      const client = new ScriptedClient().shakeHands();
      expect(() => client.call(name, 1, null, [], { on: 1 })).toThrow(code('COMMAND_UNEXPECTED'));
    },
  );

  it('has room for one connect', () => {
    const client = new ScriptedClient().connected();
    expect(() => client.call('connect', 2, APP)).toThrow(code('COMMAND_UNEXPECTED'));
  });
});

describe('calls', () => {
  it('that nobody knows are acknowledged, and told about once', () => {
    const client = new ScriptedClient().connected();
    client.call('setPeerInfo', 5, null, ['x']);
    client.call('setPeerInfo', 6, null, ['x']);
    expect(client.heard()).toEqual(['_result 5 null undefined', '_result 6 null undefined']);
    expect(client.eventsOf('unhandled')).toEqual([{ type: 'unhandled', what: 'command setPeerInfo' }]);
  });

  it.each(['setPeerInfo', 'releaseStream', '_checkbw', 'getStreamLength', 'createStream', 'FCUnpublish'])(
    'with transaction 0 are not answered: %s',
    (name) => {
      const client = new ScriptedClient().connected();
      client.call(name, 0, null, ['key']);
      expect(client.heard()).toEqual([]);
    },
  );

  it.each(['_result', '_error', 'onStatus'])('that are answers are not answered: %s', (name) => {
    const client = new ScriptedClient().connected();
    client.call(name, 9, null, [object({ code: 'x' })]);
    expect(client.heard()).toEqual([]);
    expect(client.eventsOf('unhandled')).toEqual([]);
  });

  it('may be 200 in a second and not one more', () => {
    const client = new ScriptedClient().connected();
    client.now += 5000;
    for (let i = 0; i < 200; i++) client.call('_checkbw', 2 + i, null);
    expect(client.heard()).toHaveLength(200);
    expect(() => client.call('_checkbw', 500, null)).toThrow(code('TOO_MANY_COMMANDS'));
  });

  it.each([
    ['not AMF', hex('02 0004 706c'), 'AMF_TRUNCATED'],
    ['without a name', encodeAmf0(1, 2), 'COMMAND_INVALID'],
    ['nested too deeply', hex(`02 0001 78 00 0000000000000000 ${'0a00000001'.repeat(30)}`), 'AMF_TOO_DEEP'],
  ])('that are %s end the session', (_, payload, fault) => {
    const client = new ScriptedClient().connected();
    const message = { type: MessageType.commandAmf0, streamId: 0, timestamp: 0, payload };
    expect(() => client.say(message, 3)).toThrow(code(fault));
  });
});

describe('messages of other types', () => {
  it.each([0, 7, 16, 19, 21, 200])('are told about and passed over: %i', (type) => {
    const client = new ScriptedClient().connected();
    client.say({ type, streamId: 1, timestamp: 0, payload: Buffer.alloc(3) });
    expect(client.events.at(-1)).toEqual({ type: 'unhandled', what: `message type ${type}` });
    expect(client.heard()).toEqual([]);
  });

  it('aggregates come as what is in them', () => {
    const client = new ScriptedClient().publishing();
    const payload = hex('08 000002 000000 00 000000 af01 0000000d 09 000003 000028 00 000000 270100 0000000e');
    client.say({ type: MessageType.aggregate, streamId: 1, timestamp: 500, payload });
    expect(client.eventsOf('media').map(({ message }) => [message.type, message.timestamp])).toEqual([
      [8, 500],
      [9, 540],
    ]);
  });
});

describe('messages of next to nothing', () => {
  const publisher = () => {
    const client = new ScriptedClient({ maxTinyMessagesPerSecond: 3 }).publishing();
    client.now += 5_000;
    return client;
  };
  const tooMany = code('TOO_MANY_TINY_MESSAGES');
  const tiny = media(8, 0, Buffer.alloc(15));
  const tag = Buffer.concat([hex('08 000000 000000 00 000000'), Buffer.alloc(4)]);

  it('may be so many in a second and not one more; longer ones may be any number', () => {
    const client = publisher();
    for (let i = 0; i < 3; i++) client.say(tiny);
    for (let i = 0; i < 9; i++) client.say(media(8, 0, Buffer.alloc(16)));
    client.now += 1_000;
    for (let i = 0; i < 3; i++) client.say(tiny);
    expect(client.eventsOf('media')).toHaveLength(15);
    expect(() => client.say(tiny)).toThrow(tooMany);
  });

  it('count inside an aggregate too', () => {
    const aggregate = (parts: number) => media(22, 0, Buffer.concat(Array.from({ length: parts }, () => tag)));
    publisher().say(aggregate(3));
    expect(() => publisher().say(aggregate(4))).toThrow(tooMany);
  });

  it('count before anything is published, whatever their type', () => {
    const client = new ScriptedClient({ maxTinyMessagesPerSecond: 3 }).shakeHands();
    for (let i = 0; i < 3; i++) client.say(media(100 + i, 0, Buffer.alloc(0)));
    expect(() => client.say(media(99, 0, Buffer.alloc(0)))).toThrow(tooMany);
  });
});

describe('limits before and after somebody may publish', () => {
  it('keep strangers and players at 64 KiB of command, and a publisher at 256 KiB of data', () => {
    const say = (client: ScriptedClient, bytes: number) => {
      client.control({ type: 'setChunkSize', size: 500_000 });
      client.say({ type: MessageType.dataAmf0, streamId: 1, timestamp: 0, payload: Buffer.alloc(bytes) });
    };
    say(new ScriptedClient().connected(), 65_536);
    expect(() => say(new ScriptedClient().connected(), 65_537)).toThrow(code('MESSAGE_TOO_LARGE'));
    expect(() => say(new ScriptedClient().playing(), 65_537)).toThrow(code('MESSAGE_TOO_LARGE'));
    say(new ScriptedClient().publishing(), 262_144);
    expect(() => say(new ScriptedClient().publishing(), 262_145)).toThrow(code('MESSAGE_TOO_LARGE'));
  });

  it('let a keyframe begin behind the publish command that nobody has answered yet', () => {
    const client = new ScriptedClient().connected();
    client.control({ type: 'setChunkSize', size: 200_000 });
    client.call('createStream', 2, null);
    const recorder = new ScriptedClient().connected();
    let keyframe = Buffer.alloc(0);
    recorder.send = (bytes) => void (keyframe = Buffer.from(bytes));
    recorder.control({ type: 'setChunkSize', size: 200_000 });
    recorder.say(media(9, 0, Buffer.alloc(150_000)));
    const publish = client.bytesOf('publish', 3, null, ['key'], { on: 1 });
    client.send(Buffer.concat([publish, keyframe.subarray(0, 60_000)]));
    client.send(keyframe.subarray(60_000));
    expect(client.eventsOf('media')[0]?.message.payload).toHaveLength(150_000);
  });
});
