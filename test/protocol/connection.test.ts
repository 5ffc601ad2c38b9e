import { describe, expect, it } from 'vitest';
import { object } from '../../src/protocol/amf0.ts';
import { encodeControl } from '../../src/protocol/control.ts';
import { decodeCall } from '../../src/protocol/call.ts';
import { ChunkReader } from '../../src/protocol/chunk-reader.ts';
import { encodeWhole } from '../../src/protocol/chunk-writer.ts';
import { MessageType, type Message } from '../../src/protocol/message.ts';
import { ACK_PAUSE_MS } from '../../src/protocol/receive-window.ts';
import { ServerSession } from '../../src/protocol/server-session.ts';
import { SESSION_DEFAULTS } from '../../src/protocol/session-options.ts';
import { hex } from '../support/fixture.ts';
import { HELLO, media, ScriptedClient } from '../support/scripted-client.ts';
import { CompressingWriter } from '../support/compressing-writer.ts';

const random = (bytes: number) => Buffer.alloc(bytes);
const code = (wanted: string) => expect.objectContaining({ code: wanted });
const CONNECT = (client: ScriptedClient) => client.bytesOf('connect', 1, object({ app: 'live' }));

describe('the handshake', () => {
  it('is answered in one piece, and keeps what is glued to its end', () => {
    const client = new ScriptedClient();
    const connect = CONNECT(client);
    client.send(HELLO);
    const output = client.session.takeOutput();
    expect(output.map((bytes) => bytes.length)).toEqual([3073]);
    client.send(Buffer.concat([Buffer.alloc(1536), connect]));
    expect(client.eventsOf('connect')).toHaveLength(1);
  });

  it('has ten seconds, not one millisecond more', () => {
    const session = new ServerSession({ random }, 500);
    session.receive(HELLO, 600);
    expect(session.deadline()).toBe(500 + SESSION_DEFAULTS.handshakeTimeoutMs);
    expect(session.tick(10_499)).toEqual([]);
    expect(() => session.tick(10_500)).toThrow(code('HANDSHAKE_TIMEOUT'));
  });

  it('that is not RTMP ends the session at the first byte, and for good', () => {
    const session = new ServerSession({ random }, 0);
    expect(() => session.receive(Buffer.from('GET /'), 0)).toThrow(code('HANDSHAKE_VERSION'));
    expect(() => session.receive(HELLO, 0)).toThrow(code('HANDSHAKE_VERSION'));
    expect(() => session.tick(0)).toThrow(code('HANDSHAKE_VERSION'));
    expect(session.deadline()).toBeUndefined();
    expect(session.takeOutput()).toEqual([]);
  });
});

describe('a fault', () => {
  it('waits until the events before it have been told', () => {
    const client = new ScriptedClient().publishing();
    const good = encodeWhole(media(8, 5), 4, 128);
    const events = client.session.receive(Buffer.concat([good, hex('c5'), good]), 7);
    expect(events).toHaveLength(1);
    expect(client.session.deadline()).toBe(0);
    expect(() => client.session.tick(7)).toThrow(code('CHUNK_INVALID'));
    expect(client.session.deadline()).toBeUndefined();
    expect(() => client.session.receive(good, 8)).toThrow(code('CHUNK_INVALID'));
  });

  it('of the state machine comes before one of the chunks behind it', () => {
    const client = new ScriptedClient().connected();
    const second = CONNECT(client);
    expect(() => client.session.receive(Buffer.concat([second, hex('c5')]), 0)).toThrow(code('COMMAND_UNEXPECTED'));
  });

  it('leaves what was said before it to be sent', () => {
    const client = new ScriptedClient().connected();
    const createStream = client.bytesOf('createStream', 2, null);
    expect(() => client.session.receive(Buffer.concat([createStream, hex('c5')]), 0)).toThrow();
    expect(client.heard()).toEqual(['_result 2 null 1']);
  });
});

describe('a reply', () => {
  it('owes nothing to those before it: RootEncoder throws away what it has not read when its next answer comes', () => {
    const client = new ScriptedClient().connected();
    client.call('releaseStream', 2, null, ['a']);
    client.session.takeOutput();
    client.call('FCPublish', 3, null, ['a']);
    const reader = new ChunkReader();
    const messages: Message[] = [];
    for (const bytes of client.session.takeOutput()) reader.read(bytes, messages);
    expect(messages.map((message) => decodeCall(message).name)).toEqual(['_result', 'onFCPublish']);
  });
});

describe('the end of the transport', () => {
  it('silences the session: no events, no output, no deadline, no faults', () => {
    const client = new ScriptedClient().publishing();
    client.say(media(8));
    client.session.end();
    client.session.sendStatus(1, { level: 'status', code: 'x', description: '' });
    client.session.sendEncoded(Buffer.alloc(1));
    expect(client.session.takeOutput()).toEqual([]);
    expect(client.session.receive(Buffer.from('anything'), 1)).toEqual([]);
    expect(client.session.tick(1e9)).toEqual([]);
    expect(client.session.deadline()).toBeUndefined();
    expect(client.session.accept(1)).toBe(false);
  });
});

describe('acknowledgements', () => {
  const big = encodeWhole(media(9, 0, Buffer.alloc(200_000)), 6, 65_536);
  const acknowledgements = (client: ScriptedClient) =>
    client.heard().filter((words) => words.startsWith('acknowledgement'));

  function sender(window?: number): ScriptedClient {
    const client = new ScriptedClient().publishing();
    client.control({ type: 'setChunkSize', size: 65_536 });
    if (window !== undefined) client.control({ type: 'windowAckSize', size: window });
    return client;
  }

  it('come at half the announced window, and say the total, handshake included', () => {
    const client = new ScriptedClient();
    let sent = 0;
    const send = client.send.bind(client);
    client.send = (bytes) => {
      sent += bytes.length;
      send(bytes);
    };
    client.publishing();
    client.control({ type: 'setChunkSize', size: 65_536 });
    client.control({ type: 'windowAckSize', size: 1_000_000 });
    for (const expected of [[], [], `acknowledgement`, [], [], 'acknowledgement']) {
      client.send(big);
      client.wait(2 * ACK_PAUSE_MS);
      expect(acknowledgements(client)).toEqual(expected.length === 0 ? [] : [`${expected as string} ${sent}`]);
    }
  });

  it('come every 1.25 MB when no window was announced', () => {
    const client = sender();
    const counts = Array.from({ length: 14 }, () => {
      client.send(big);
      client.wait(2 * ACK_PAUSE_MS);
      return acknowledgements(client).length;
    });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(counts.indexOf(1)).toBe(6);
  });

  it('do not come for every byte of a tiny window', () => {
    const client = sender(1);
    const small = encodeWhole(media(8, 0, Buffer.alloc(3000)), 4, 65_536);
    let count = 0;
    for (let i = 0; i < 100; i++) {
      client.send(small);
      client.wait(2 * ACK_PAUSE_MS);
      count += acknowledgements(client).length;
    }
    expect(count).toBe(Math.floor((100 * (3000 + 12)) / 32_768));
  });

  it('wait for a pause, and ask for nothing while nobody takes them', () => {
    const client = sender();
    for (let i = 0; i < 8; i++) client.send(big);
    expect(acknowledgements(client)).toEqual([]);
    expect(client.session.deadline()).toBe(client.now + ACK_PAUSE_MS);
    client.wait(2 * ACK_PAUSE_MS);
    expect(client.session.deadline()).toBeGreaterThan(client.now + 1000);
    expect(acknowledgements(client)).toHaveLength(1);
  });

  it('that nobody takes become one: the newest, as librtmp and OBS never read', () => {
    const client = sender(100_000);
    client.heard();
    for (let i = 0; i < 1000; i++) client.send(big);
    const output = client.session.takeOutput();
    expect(output).toHaveLength(1);
    expect(output[0]!.length).toBeLessThanOrEqual(16);
  });

  it('pass 4 GiB by wrapping', () => {
    const client = new ScriptedClient({ bytesReceivedBefore: 2 ** 32 - 1_000_000 }).publishing();
    client.control({ type: 'setChunkSize', size: 65_536 });
    client.heard();
    const totals: number[] = [];
    for (let i = 0; i < 40; i++) {
      client.send(big);
      client.wait(2 * ACK_PAUSE_MS);
      totals.push(...acknowledgements(client).map((words) => Number(words.split(' ')[1])));
    }
    expect(totals).toHaveLength(5);
    expect(Math.max(...totals)).toBeLessThan(8_000_000);
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
  });

  it('keep coming through half a gibibyte of large messages', () => {
    const client = sender();
    const huge = encodeWhole(media(9, 0, Buffer.alloc(8 * 2 ** 20)), 6, 65_536);
    let heard = 0;
    let sent = 0;
    let last = 0;
    while (sent < 2 ** 29) {
      client.session.receive(huge, client.now);
      client.wait(2 * ACK_PAUSE_MS);
      sent += huge.length;
      const [words] = acknowledgements(client);
      heard += words === undefined ? 0 : 1;
      last = Number(words?.split(' ')[1]);
    }
    expect(heard).toBe(Math.ceil(2 ** 29 / huge.length));
    expect(last).toBeGreaterThanOrEqual(sent);
  });
});

describe('control messages', () => {
  it('of Set Peer Bandwidth are answered where that changes something', () => {
    const client = new ScriptedClient().connected();
    const answers = (size: number, limit: 'hard' | 'soft' | 'dynamic') => {
      client.control({ type: 'setPeerBandwidth', size, limit });
      return client.heard();
    };
    expect(answers(1_000_000, 'dynamic')).toEqual([]);
    expect(answers(2_500_000, 'hard')).toEqual([]);
    expect(answers(1_000_000, 'hard')).toEqual(['windowAckSize 1000000']);
    expect(answers(1_000_000, 'hard')).toEqual([]);
    expect(answers(500_000, 'dynamic')).toEqual(['windowAckSize 500000']);
    expect(answers(9_000_000, 'soft')).toEqual([]);
    expect(answers(400_000, 'soft')).toEqual(['windowAckSize 400000']);
  });

  it('ask for pings to be answered with the same time, the newest only', () => {
    const client = new ScriptedClient().connected();
    client.control({ type: 'pingRequest', time: 1 });
    client.control({ type: 'pingRequest', time: 0xffff_fffe });
    expect(client.heard()).toEqual(['pingResponse 4294967294']);
    expect(client.heard()).toEqual([]);
  });

  it('past 500 in a second are not acted on, and do no harm', () => {
    const client = new ScriptedClient().playing();
    for (let i = 0; i < 500; i++) client.control({ type: 'setBufferLength', streamId: 1, ms: i });
    expect(client.eventsOf('bufferLength')).toHaveLength(500);
    client.control({ type: 'setBufferLength', streamId: 1, ms: 500 });
    expect(client.eventsOf('bufferLength')).toHaveLength(500);
    client.now += 1000;
    client.control({ type: 'setBufferLength', streamId: 1, ms: 501 });
    expect(client.eventsOf('bufferLength')).toHaveLength(501);
  });

  it('change the chunk size even then: the stream must stay readable', () => {
    const client = new ScriptedClient().publishing();
    for (let i = 0; i < 600; i++) client.control({ type: 'acknowledgement', total: i });
    client.control({ type: 'setChunkSize', size: 1000 });
    client.say(media(8, 0, Buffer.alloc(900)));
    expect(client.eventsOf('media')).toHaveLength(1);
  });

  it('that mean nothing here are passed over: SWF verification, unknown events, abort', () => {
    const client = new ScriptedClient().connected();
    const writer = new CompressingWriter();
    for (const payload of ['001b 0101', 'ffff', '', '0020 00000001']) {
      client.say({ type: MessageType.userControl, streamId: 0, timestamp: 0, payload: hex(payload) }, 2);
    }
    client.send(writer.write(encodeControl({ type: 'abort', chunkStreamId: 4 }), 2));
    expect(client.heard()).toEqual([]);
    expect(client.eventsOf('unhandled')).toEqual([]);
  });
});

describe('silence', () => {
  it('is asked about after 30 s, and ended after 90', () => {
    const client = new ScriptedClient().playing();
    client.wait(29_999);
    expect(client.heard()).toEqual([]);
    client.wait(1);
    expect(client.heard()).toEqual(['pingRequest 30000']);
    client.wait(30_000);
    expect(client.heard()).toEqual(['pingRequest 60000']);
    expect(() => client.wait(30_000)).toThrow(code('IDLE_TIMEOUT'));
  });

  it('is broken by any byte, whatever it means', () => {
    const client = new ScriptedClient().playing();
    for (let i = 0; i < 20; i++) {
      client.wait(60_000);
      client.control({ type: 'pingResponse', time: 0 });
    }
    expect(client.now).toBe(1_200_000);
  });

  it('pings that nobody takes become one', () => {
    const client = new ScriptedClient().playing();
    client.wait(89_999);
    expect(client.heard()).toEqual(['pingRequest 60000']);
  });

  it('of a player that takes its media is no end: mobile players never answer', () => {
    const client = new ScriptedClient().playing();
    for (let i = 0; i < 200; i++) {
      client.wait(1000);
      client.session.sendEncoded(Buffer.alloc(1000));
      expect(client.session.takeOutput().length).toBeGreaterThan(0);
      client.session.drained(client.now);
    }
    expect(client.now).toBe(200_000);
  });

  it('is an end when nothing but our pings has left', () => {
    const client = new ScriptedClient().playing();
    client.session.drained(client.now);
    expect(() => {
      for (let i = 0; i < 200; i++) {
        client.wait(1000);
        client.session.takeOutput();
        client.session.drained(client.now);
      }
    }).toThrow(code('IDLE_TIMEOUT'));
    expect(client.now).toBe(90_000);
  });

  it('is an end when media waits and does not drain', () => {
    const client = new ScriptedClient().playing();
    client.session.sendEncoded(Buffer.alloc(1000));
    expect(() => client.wait(90_000)).toThrow(code('IDLE_TIMEOUT'));
  });
});

describe('the output', () => {
  it('hands shared media on without copying it, in order with replies', () => {
    const client = new ScriptedClient().playing();
    const [first, second] = [Buffer.from('first'), Buffer.from('second')];
    client.session.sendEncoded(first);
    client.session.endStream(1);
    client.session.sendEncoded(second);
    const output = client.session.takeOutput();
    expect(output).toHaveLength(3);
    expect(output[0]).toBe(first);
    expect(output[2]).toBe(second);
    expect(client.session.takeOutput()).toEqual([]);
  });

  it('of replies that nobody reads has a limit; media is not counted', () => {
    const client = new ScriptedClient({ maxUnreadReplyBytes: 1000 }).playing();
    client.session.sendEncoded(Buffer.alloc(1_000_000));
    const status = { level: 'status', code: 'x', description: 'x'.repeat(100) } as const;
    const fill = () => {
      for (let i = 0; i < 5; i++) client.session.sendStatus(1, status);
    };
    fill();
    client.session.takeOutput();
    fill();
    expect(client.session.deadline()).not.toBe(0);
    fill();
    expect(client.session.deadline()).toBe(0);
    expect(() => client.session.tick(0)).toThrow(code('REPLIES_UNREAD'));
  });
});
