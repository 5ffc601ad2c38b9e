import { describe, expect, it } from 'vitest';
import { object } from '../../src/protocol/amf0.ts';
import { decodeCall, property } from '../../src/protocol/call.ts';
import { encodeControl } from '../../src/protocol/control.ts';
import { readCapabilities } from '../../src/protocol/enhanced.ts';
import { status } from '../../src/protocol/status.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { hex } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';
import { media } from '../support/scripted-client.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { SessionPair } from '../support/session-pair.ts';
import { CompressingWriter } from '../support/compressing-writer.ts';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const TO = { app: 'live', tcUrl: 'rtmp://h/live' };

describe('both sessions, joined', () => {
  it.each([
    ['whole', (bytes: Buffer) => [bytes]],
    ['byte by byte', byteByByte],
    ['cut anywhere', (bytes: Buffer) => cuts(bytes, seeded(bytes.length))],
  ])('connect, publish, play and end, %s', (_, cut) => {
    const pair = new SessionPair({ cut }).connect();
    expect(pair.ofClient('connected')).toMatchObject([{ id: 1 }]);
    const published = pair.publish('key');
    const played = pair.play('other');
    expect([published, played]).toEqual([1, 2]);
    expect(pair.ofServer('bufferLength')).toEqual([{ type: 'bufferLength', streamId: 2, ms: 3000 }]);

    const frames = [media(18, 0), media(9, 0, Buffer.alloc(70_000, 7)), media(8, 5)];
    for (const frame of frames) pair.client.sendMessage(frame);
    pair.pump();
    expect(pair.ofServer('media').map(({ message }) => message)).toEqual(frames);
    for (const frame of frames) pair.server.sendMessage({ ...frame, streamId: played });
    pair.pump();
    const received = pair.ofClient('media').map(({ message }) => message);
    expect(received.slice(1)).toEqual(frames.map((frame) => ({ ...frame, streamId: played })));

    pair.client.closeStream(published);
    pair.client.deleteStream(played);
    pair.pump();
    expect(pair.serverEvents.slice(-2)).toEqual([
      { type: 'unpublish', streamId: 1 },
      { type: 'stopped', streamId: 2 },
    ]);
    expect(pair.ofClient('status').at(-1)).toMatchObject({ status: { code: 'NetStream.Unpublish.Success' } });
    expect(pair.ofClient('unhandled').map(({ what }) => what)).toEqual(['command onFCPublish']);
  });

  it('agree on what Enhanced RTMP a relay can do', () => {
    const pair = new SessionPair();
    pair.client.connect({ ...TO, properties: object({ capsEx: 15, fourCcList: ['*'] }) });
    pair.pump();
    expect(readCapabilities(pair.ofClient('connected')[0]?.info)).toMatchObject({ capsEx: 6, fourCcList: ['*'] });
  });

  it('refuse a connect, and want closing on both sides', () => {
    const why = status('NetConnection.Connect.Rejected', '[ AccessManager.Reject ] : not you');
    const pair = new SessionPair({ decide: ({ id }, server) => void server.reject(id, why) }).connect();
    expect(pair.ofClient('refused')).toMatchObject([{ id: 1, what: 'connect', streamId: 0, status: why }]);
    expect([pair.client.wantsClose, pair.server.wantsClose]).toEqual([true, true]);
  });

  it('refuse a publisher and a player, each on its NetStream, and stay usable', () => {
    const pair = new SessionPair({
      decide: (request, server) => {
        if (request.type === 'connect' || request.name === 'free') server.accept(request.id);
        else if (request.type === 'publish') server.reject(request.id, status('NetStream.Publish.BadName', 'taken'));
        else server.reject(request.id, status('NetStream.Play.StreamNotFound'));
      },
    }).connect();
    for (let i = 0; i < 10; i++) {
      const publishId = pair.client.publish('taken');
      const playId = pair.client.play('missing');
      pair.pump();
      expect(pair.ofClient('refused').slice(-2)).toMatchObject([
        { id: publishId, what: 'publish', status: { level: 'error', code: 'NetStream.Publish.BadName' } },
        { id: playId, what: 'play', status: { code: 'NetStream.Play.StreamNotFound' } },
      ]);
    }
    // Refused NetStreams were deleted, so that there is still room.
    expect(pair.publish('free')).toBeLessThanOrEqual(3);
  });

  it('pause, seek, mute', () => {
    const pair = new SessionPair().connect();
    const streamId = pair.play();
    pair.client.pause(streamId, true, 1200);
    pair.client.seek(streamId, 3000);
    pair.client.receiveVideo(streamId, false);
    pair.client.receiveAudio(streamId, true);
    pair.pump();
    expect(pair.serverEvents.slice(-4)).toEqual([
      { type: 'pause', streamId, paused: true, position: 1200 },
      { type: 'seek', streamId, position: 3000 },
      { type: 'receive', streamId, kind: 'video', wanted: false },
      { type: 'receive', streamId, kind: 'audio', wanted: true },
    ]);
    expect(pair.ofClient('eof')).toEqual([{ type: 'eof', streamId }]);
    expect(pair.ofClient('begin')).toEqual([{ type: 'begin', streamId }]);
  });

  it('answer calls', () => {
    const pair = new SessionPair().connect();
    const id = pair.client.call('getStreamLength', ['key']);
    pair.client.notify('nothing');
    pair.pump();
    expect(pair.ofClient('result')).toEqual([{ type: 'result', id, ok: true, values: [null, 0] }]);
  });

  it('keep quiet connections alive with pings from both sides', () => {
    const pair = new SessionPair().connect();
    pair.play();
    pair.wait(24 * 3_600_000);
    expect(pair.now).toBe(86_400_000);
    expect(pair.ofClient('media').length).toBe(1);
  });

  it('tell the time in frozen events only', () => {
    const pair = new SessionPair().connect();
    pair.publish();
    pair.play();
    expect([...pair.clientEvents, ...pair.serverEvents].every((event) => Object.isFrozen(event))).toBe(true);
  });
});

describe('what a client asks', () => {
  it('connect: after the handshake, behind its chunk size, with all properties', () => {
    const server = new ScriptedServer();
    server.session.connect({ ...TO, properties: object({ pageUrl: 'p', flashVer: 'mine' }), args: ['token'] });
    expect(server.heard()).toEqual([]);
    server.shakeHands();
    expect(server.heard()[0]).toBe('setChunkSize 65536');
    const call = decodeCall(server.messages[1]!);
    expect(call).toMatchObject({ name: 'connect', transactionId: 1, args: ['token'], streamId: 0 });
    expect(Object.fromEntries(call.object as Map<string, unknown>)).toEqual({
      app: 'live',
      type: 'nonprivate',
      flashVer: 'mine',
      swfUrl: 'rtmp://h/live',
      tcUrl: 'rtmp://h/live',
      fpad: false,
      capabilities: 15,
      audioCodecs: 4071,
      videoCodecs: 252,
      videoFunction: 1,
      objectEncoding: 0,
      pageUrl: 'p',
    });
  });

  it('a window acknowledgement size once it is connected, and its own chunk size whenever it likes', () => {
    const server = new ScriptedServer().shakeHands();
    server.session.connect(TO);
    server.heard();
    server.call('_result', 1, null, [object({ code: 'NetConnection.Connect.Success' })]);
    server.session.setChunkSize(4096);
    expect(server.heard()).toEqual(['windowAckSize 2500000', 'setChunkSize 4096']);
    expect(server.session.outgoingChunkSize).toBe(4096);
  });

  it('what is out of turn is our own mistake', () => {
    const session = new ScriptedServer().session;
    const misuse = code('SESSION_MISUSED');
    expect(() => session.publish('key')).toThrow(misuse);
    session.connect(TO);
    expect(() => session.connect(TO)).toThrow(misuse);
    expect(() => session.call('x')).toThrow(misuse);
  });

  it('at most 64 calls at a time', () => {
    const { session } = new ScriptedServer().connected();
    for (let i = 0; i < 64; i++) session.call('x');
    expect(() => session.call('x')).toThrow(code('SESSION_MISUSED'));
  });
});

describe('what servers do', () => {
  it('refuses connect by onStatus, or by a _result that says error', () => {
    for (const refuse of [
      (server: ScriptedServer) => server.onStatus(0, 'error', 'NetConnection.Connect.Rejected'),
      (server: ScriptedServer) => server.call('_result', 1, null, [object({ level: 'error', code: 'x' })]),
    ]) {
      const server = new ScriptedServer().shakeHands();
      server.session.connect(TO);
      refuse(server);
      expect(server.events.at(-1)).toMatchObject({ type: 'refused', what: 'connect', id: 1 });
      expect(server.session.wantsClose).toBe(true);
    }
  });

  it('redirects: the whole info object is at hand', () => {
    const server = new ScriptedServer().shakeHands();
    server.session.connect(TO);
    const ex = object({ code: 302, redirect: 'rtmp://other/live' });
    server.call('_error', 1, null, [object({ level: 'error', code: 'NetConnection.Connect.Rejected', ex })]);
    const [refused] = server.events;
    expect(refused?.type === 'refused' && property(property(refused.info, 'ex'), 'redirect')).toBe('rtmp://other/live');
  });

  it('checks bandwidth, and calls what nobody knows', () => {
    const server = new ScriptedServer().connected();
    server.call('onBWDone', 0, null);
    server.call('_onbwcheck', 7, null, ['x'.repeat(50)]);
    server.call('_onbwcheck', 8, null, []);
    server.call('odd', 9, null, []);
    server.call('odd', 0, null, []);
    expect(server.heard()).toEqual(['_result 7 null 0', '_result 8 null 1', '_result 9 null undefined']);
    expect(server.events).toEqual([
      { type: 'unhandled', what: 'command onBWDone' },
      { type: 'unhandled', what: 'command odd' },
    ]);
  });

  it('pings, and sets the bandwidth', () => {
    const server = new ScriptedServer().connected();
    server.control({ type: 'pingRequest', time: 77 });
    server.control({ type: 'setPeerBandwidth', size: 1_000_000, limit: 'hard' });
    expect(server.heard()).toEqual(['windowAckSize 1000000', 'pingResponse 77']);
  });

  it.each([
    [true, 90_000 + 5],
    [false, 200_000],
  ])(
    'hangs, while its buffers go on taking what is sent: who has answered a ping (%s) is found out',
    (answers, end) => {
      const server = new ScriptedServer().connected();
      server.now = 5;
      if (answers) server.control({ type: 'pingResponse', time: 0 });
      const pass = (): void => {
        for (; server.now < 200_000; server.now += 1000) {
          server.session.sendEncoded(Buffer.alloc(1000));
          server.session.takeOutput();
          server.session.drained(server.now);
          server.session.tick(server.now);
        }
      };
      if (answers) expect(pass).toThrow(expect.objectContaining({ code: 'IDLE_TIMEOUT' }));
      else pass();
      expect(server.now).toBeGreaterThanOrEqual(end);
      expect(server.now).toBeLessThan(end + 1000);
    },
  );

  it('has so much to say in a second, and no more', () => {
    const server = new ScriptedServer({ maxCommandsPerSecond: 3 }).connected();
    server.now = 1000;
    const status = (): void => server.onStatus(1, 'status', 'NetStream.Whatever');
    for (let count = 0; count < 3; count++) status();
    server.now = 2000;
    for (let count = 0; count < 3; count++) status();
    expect(status).toThrow(expect.objectContaining({ code: 'TOO_MANY_COMMANDS' }));
  });

  it.each(['close', 'onFCUnsubscribe'])('asks us to leave by %s', (name) => {
    const server = new ScriptedServer().connected();
    server.call(name, 0, null);
    expect(server.events).toEqual([{ type: 'leave', what: name }]);
    expect(server.session.wantsClose).toBe(true);
  });

  it('packs media into aggregates', () => {
    const server = new ScriptedServer().connected();
    server.session.play('key');
    server.call('_result', 2, null, [1]);
    const payload = hex('08 000001 000000 00 000000 af 0000000c 09 000001 000028 00 000000 27 0000000c');
    server.say({ type: 22, streamId: 1, timestamp: 100, payload });
    expect(server.events.map((event) => event.type === 'media' && event.message.timestamp)).toEqual([100, 140]);
  });

  it('sends media that nobody asked for, shared objects, answers to nothing', () => {
    const server = new ScriptedServer().connected();
    server.say(media(8, 0));
    server.say(media(8, 0));
    server.say({ type: 19, streamId: 0, timestamp: 0, payload: Buffer.alloc(4) });
    server.call('_result', 99, null, [1]);
    server.call('_error', 98, null, []);
    server.control({ type: 'bufferReady', streamId: 1 });
    expect(server.events).toEqual([
      { type: 'unhandled', what: 'media where nothing is played' },
      { type: 'unhandled', what: 'message type 19' },
    ]);
  });
});

describe('a server that does not answer', () => {
  it('the handshake has ten seconds', () => {
    const server = new ScriptedServer();
    server.session.connect(TO);
    expect(() => server.wait(10_000)).toThrow(code('HANDSHAKE_TIMEOUT'));
  });

  it('connect has ten', () => {
    const server = new ScriptedServer();
    server.session.connect(TO);
    server.wait(5000);
    server.shakeHands();
    server.wait(9999);
    expect(() => server.wait(1)).toThrow(code('CONNECT_TIMEOUT'));
  });
});

describe('what was sent and what has arrived', () => {
  const acknowledge = (pair: SessionPair, total: number): void => {
    const bytes = new CompressingWriter().write(encodeControl({ type: 'acknowledgement', total }), 2);
    pair.client.receive(bytes, pair.now);
  };

  it('is counted in bytes, handshake included; nothing has arrived as long as the server says nothing', () => {
    const pair = new SessionPair().connect();
    expect([pair.client.bytesSent, pair.client.bytesAcknowledged]).toEqual([pair.carried.toServer, 0]);
  });

  it('goes on past 4 GiB, where the server begins at 0 again; an older count changes nothing', () => {
    const pair = new SessionPair().connect();
    for (const total of [1e9, 3e9, 4.2e9, 100_000_000, 50_000_000]) acknowledge(pair, total);
    expect(pair.client.bytesAcknowledged).toBe(2 ** 32 + 100_000_000);
  });
});
