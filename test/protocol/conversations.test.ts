import { describe, expect, it } from 'vitest';
import { encodeAmf0, object, type AmfValue } from '../../src/protocol/amf0.ts';
import { property } from '../../src/protocol/call.ts';
import { MessageType } from '../../src/protocol/message.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { hex } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';
import { media, ScriptedClient } from '../support/scripted-client.ts';

/** What every accepted connect is answered with, in this order and nothing before it. */
const CONNECTED = [
  'windowAckSize 2500000',
  'setPeerBandwidth 2500000 dynamic',
  'setChunkSize 65536',
  '_result 1 {fmsVer capabilities mode} NetConnection.Connect.Success',
];
const PUBLISHING = 'onStatus@1 NetStream.Publish.Start';
const PLAYING = [
  'streamBegin 1',
  'onStatus@1 NetStream.Play.Reset',
  'onStatus@1 NetStream.Play.Start',
  'data@1 |RtmpSampleAccess true true',
];
const METADATA = encodeAmf0('@setDataFrame', 'onMetaData', object({ width: 1920, videocodecid: 7 }));
const VIDEO_HEADER = bytes('17 00 000000 01640028ffe1');

/** OBS through its own librtmp: connect, then three calls at once, everything of a stream on chunk stream 4. */
function obs(client: ScriptedClient): void {
  client.control({ type: 'setChunkSize', size: 4096 });
  client.call('connect', 1, object(LIBRTMP_PUBLISHER));
  client.call('releaseStream', 2, null, ['key?token=1']);
  client.call('FCPublish', 3, null, ['key?token=1']);
  client.call('createStream', 4, null);
  client.call('publish', 5, null, ['key?token=1', 'live'], { on: 1, csid: 4 });
  client.say(media(MessageType.dataAmf0, 0, METADATA));
  client.say(media(MessageType.audio, 0, bytes('af 00 1210')));
  client.say(media(MessageType.video, 0, VIDEO_HEADER));
  client.say(media(MessageType.video, 40, Buffer.concat([bytes('17 01 000000'), Buffer.alloc(20_000)])));
  // An audio packet slightly older than the video before it, on the same chunk stream.
  client.say(media(MessageType.audio, 37, bytes('af 01 00')));
  client.call('FCUnpublish', 6, null, ['key?token=1']);
  client.call('deleteStream', 7, null, [1]);
}

const LIBRTMP_PUBLISHER = {
  app: 'live',
  type: 'nonprivate',
  flashVer: 'FMLE/3.0 (compatible; FMSc/1.0)',
  swfUrl: 'rtmp://gateway.example/live',
  tcUrl: 'rtmp://gateway.example/live',
};

const OBS_ANSWERS = [
  ...CONNECTED,
  '_result 2 null undefined',
  '_result 3 null undefined',
  'onFCPublish NetStream.Publish.Start',
  '_result 4 null 1',
  PUBLISHING,
  '_result 6 null undefined',
  'onStatus@1 NetStream.Unpublish.Success',
  '_result 7 null undefined',
];

describe('conversations of real clients', () => {
  it('OBS and librtmp publish: every call answered in order, media told as it came', () => {
    const client = new ScriptedClient().shakeHands();
    obs(client);
    expect(client.heard()).toEqual(OBS_ANSWERS.filter((answer) => answer !== '_result 7 null undefined'));
    expect(client.events.map((event) => event.type)).toEqual([
      'connect',
      'publish',
      ...Array.from({ length: 5 }, () => 'media'),
      'unpublish',
    ]);
    expect(client.eventsOf('connect')[0]).toMatchObject({
      app: 'live',
      tcUrl: 'rtmp://gateway.example/live',
      args: [],
    });
    expect(client.eventsOf('publish')[0]).toMatchObject({ streamId: 1, name: 'key?token=1', kind: 'live' });
    expect(client.eventsOf('media').map((event) => event.message.timestamp)).toEqual([0, 0, 0, 40, 37]);
    expect(client.eventsOf('media').map((event) => event.message.type)).toEqual([18, 8, 9, 9, 8]);
  });

  it('OBS all in one packet behind its handshake, before anything was answered', () => {
    // What the scripted client says is recorded from one session and fed to others at other cuts.
    const sent = recorded(obs);
    const whole = fed([sent]);
    expect(whole.heard()).toEqual(OBS_ANSWERS.filter((answer) => answer !== '_result 7 null undefined'));
    expect(whole.eventsOf('media')).toHaveLength(5);
    expect(whole.events.map((event) => event.type)).toEqual(
      expect.arrayContaining(['connect', 'publish', 'media', 'unpublish']),
    );
  });

  it('OBS cut anywhere comes to the same', () => {
    const sent = recorded(obs);
    const expected = fed([sent]);
    const heard = expected.heard();
    for (const pieces of [byteByByte(sent), ...[1, 2, 3, 4].map((seed) => cuts(sent, seeded(seed)))]) {
      const client = fed(pieces);
      expect(client.heard()).toEqual(heard);
      expect(client.events).toEqual(expected.events);
    }
  });

  it('rtmpdump play: window, buffer length on stream 0, FCSubscribe', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object(FLASH_PLAYER));
    client.control({ type: 'windowAckSize', size: 2_500_000 });
    client.control({ type: 'setBufferLength', streamId: 0, ms: 300 });
    client.call('createStream', 2, null);
    client.call('FCSubscribe', 3, null, ['key']);
    client.call('play', 4, null, ['key', -1000], { on: 1, csid: 8 });
    client.control({ type: 'setBufferLength', streamId: 1, ms: 3_600_000 });
    expect(client.heard()).toEqual([...CONNECTED, '_result 2 null 1', '_result 3 null undefined', ...PLAYING]);
    expect(client.eventsOf('play')[0]).toMatchObject({
      streamId: 1,
      name: 'key',
      start: -1000,
      duration: -1,
      reset: true,
    });
    expect(client.eventsOf('bufferLength')).toEqual([{ type: 'bufferLength', streamId: 1, ms: 3_600_000 }]);
  });

  it('FFmpeg publish: publish on chunk stream 8, no chunk size of its own', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object({ app: 'live', type: 'nonprivate', flashVer: 'FMLE/3.0 (compatible; Lavf60)' }));
    client.call('releaseStream', 2, null, ['key']);
    client.call('FCPublish', 3, null, ['key']);
    client.call('createStream', 4, null);
    expect(client.heard()).toEqual(OBS_ANSWERS.slice(0, 8));
    client.call('publish', 5, null, ['key', 'live'], { on: 1, csid: 8 });
    expect(client.heard()).toEqual([PUBLISHING]);
    client.say(media(MessageType.dataAmf0, 0, METADATA), 4);
    client.say(media(MessageType.video, 0, VIDEO_HEADER), 6);
    client.call('FCUnpublish', 6, null, ['key']);
    client.call('deleteStream', 7, null, [1]);
    expect(client.heard()).toEqual(['_result 6 null undefined', 'onStatus@1 NetStream.Unpublish.Success']);
    expect(client.eventsOf('unpublish')).toHaveLength(1);
  });

  it('FFmpeg play: getStreamLength answered with 0 before play', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object(FLASH_PLAYER));
    client.control({ type: 'windowAckSize', size: 2_500_000 });
    client.call('createStream', 2, null);
    client.call('getStreamLength', 3, null, ['key'], { csid: 8 });
    client.call('play', 4, null, ['key', -2000], { on: 1, csid: 8 });
    client.control({ type: 'setBufferLength', streamId: 1, ms: 3000 });
    expect(client.heard()).toEqual([...CONNECTED, '_result 2 null 1', '_result 3 null 0', ...PLAYING]);
    client.call('deleteStream', 5, null, [1]);
    expect(client.heard()).toEqual([]);
    expect(client.events.at(-1)).toEqual({ type: 'stopped', streamId: 1 });
  });

  it('GStreamer rtmp2: a stream id above 0, and the first onStatus on it is the verdict', () => {
    const publisher = new ScriptedClient().shakeHands();
    publisher.call('connect', 1, object({ ...LIBRTMP_PUBLISHER, fpad: false, capabilities: 15 }));
    publisher.call('releaseStream', 2, null, ['key']);
    publisher.call('FCPublish', 3, null, ['key']);
    publisher.call('createStream', 4, null);
    publisher.call('publish', 5, null, ['key', 'live'], { on: 1, csid: 4 });
    expect(publisher.heard().filter((words) => words.startsWith('onStatus@1'))[0]).toBe(PUBLISHING);

    const player = new ScriptedClient().shakeHands();
    player.call('connect', 1, object({ app: 'live' }));
    player.control({ type: 'windowAckSize', size: 2_500_000 });
    player.control({ type: 'setBufferLength', streamId: 0, ms: 300 });
    player.call('createStream', 2, null);
    player.call('play', 3, null, ['key', -2], { on: 1, csid: 8 });
    player.control({ type: 'setBufferLength', streamId: 1, ms: 30_000 });
    const statuses = player.heard().filter((words) => words.startsWith('onStatus'));
    expect(statuses).toEqual(['onStatus@1 NetStream.Play.Reset', 'onStatus@1 NetStream.Play.Start']);
  });

  it('RootEncoder: chunk streams that differ between calls, and fourCcList answered', () => {
    const client = new ScriptedClient().shakeHands();
    const fourCcList = ['av01', 'hvc1'];
    const properties = { app: 'live', flashVer: 'FMLE/3.0', tcUrl: 'rtmpts://gateway.example/live', fourCcList };
    client.call('connect', 1, object({ ...properties, objectEncoding: 0 }));
    expect(client.heard()).toEqual(CONNECTED);
    const info = client.lastCall('_result')?.args[0];
    expect(property(info, 'objectEncoding')).toBe(0);
    expect(property(info, 'fourCcList')).toEqual(fourCcList);
    expect(property(info, 'videoFourCcInfoMap')).toEqual(object({ '*': 4 }));
    expect(property(info, 'audioFourCcInfoMap')).toEqual(object({ '*': 4 }));
    expect(property(info, 'capsEx')).toBe(2 | 4);
    client.call('releaseStream', 2, null, ['key'], { csid: 5 });
    client.call('FCPublish', 3, null, ['key'], { csid: 7 });
    client.call('createStream', 4, null, [], { csid: 9 });
    client.call('publish', 5, null, ['key', 'live'], { on: 1, csid: 11 });
    expect(client.heard()).toEqual(OBS_ANSWERS.slice(4, 9));
  });

  it('Haivision: _checkbw first, and publish without FCPublish', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object({ app: 'live', tcUrl: "'rtmp://gateway.example/live'" }));
    client.call('_checkbw', 2, null);
    client.call('createStream', 3, null);
    client.call('publish', 0, null, ['key', 'live'], { on: 1 });
    expect(client.heard()).toEqual([...CONNECTED, '_result 2 null undefined', '_result 3 null 1', PUBLISHING]);
    expect(client.eventsOf('connect')[0]?.tcUrl).toBe('rtmp://gateway.example/live');
  });

  it('FMLE and Wirecast: wait for onFCPublish, begin an audio message with format 3, ask for bandwidth', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object({ ...LIBRTMP_PUBLISHER, flashVer: 'FMLE/3.0 (compatible; FMSc/1.0 Wirecast)' }));
    client.heard();
    client.call('releaseStream', 2, null, ['key']);
    client.call('FCPublish', 3, null, ['key']);
    expect(client.heard()).toEqual(OBS_ANSWERS.slice(4, 7));
    client.control({ type: 'setPeerBandwidth', size: 5_000_000, limit: 'hard' });
    client.call('createStream', 4, null);
    client.call('publish', 5, null, ['key', 'live'], { on: 1 });
    expect(client.heard()).toEqual(['_result 4 null 1', PUBLISHING, 'windowAckSize 5000000']);
    // Format 0, then 0xC4: the same header again, the absolute time becoming the difference.
    client.send(bytes('04 000014 000002 08 01000000 af01 c4 af01'));
    expect(client.eventsOf('media').map((event) => event.message.timestamp)).toEqual([20, 40]);
  });

  it('Flash in AMF3 envelopes: format byte, AMF0, and 0x11 before each AMF3 value', () => {
    const client = new ScriptedClient().shakeHands();
    client.call('connect', 1, object({ ...FLASH_PLAYER, objectEncoding: 3 }));
    expect(client.heard()).toEqual(CONNECTED);
    expect(property(client.lastCall('_result')?.args[0], 'objectEncoding')).toBe(0);
    client.call('createStream', 2, null, [], { amf3: true });
    // receiveAudio(false) with AMF3 false, then play("key", -1) with an AMF3 string and an AMF3 integer.
    client.say(
      {
        type: 17,
        streamId: 1,
        timestamp: 0,
        payload: bytes('00 02 000c', ascii('receiveAudio'), '00', zero, '05 11 02'),
      },
      3,
    );
    const play = bytes(
      '00 02 0004',
      ascii('play'),
      '00 4008000000000000',
      '05',
      '11 06 07',
      ascii('key'),
      '11 04 ffffffff',
    );
    client.say({ type: 17, streamId: 1, timestamp: 0, payload: play }, 8);
    expect(client.heard()).toEqual(['_result 2 null 1', ...PLAYING]);
    expect(client.eventsOf('play')[0]).toMatchObject({ name: 'key', start: -1 });
    expect(client.eventsOf('receive')).toEqual([{ type: 'receive', streamId: 1, kind: 'audio', wanted: false }]);
    // pause(true, 1500): 1500 as AMF3 integer.
    const pause = bytes('00 02 0005', ascii('pause'), '00', zero, '05 11 03 11 04 8b5c');
    client.say({ type: 17, streamId: 1, timestamp: 0, payload: pause }, 8);
    expect(client.heard()).toEqual(['onStatus@1 NetStream.Pause.Notify', 'streamEof 1']);
    expect(client.events.at(-1)).toEqual({ type: 'pause', streamId: 1, paused: true, position: 1500 });
  });

  it('an AMF3 envelope without its format byte is read all the same', () => {
    const client = new ScriptedClient().connected();
    const payload = encodeAmf0('createStream', 2, null);
    client.say({ type: 17, streamId: 0, timestamp: 0, payload }, 3);
    expect(client.heard()).toEqual(['_result 2 null 1']);
  });
});

const FLASH_PLAYER: Record<string, AmfValue> = {
  app: 'live',
  flashVer: 'LNX 9,0,124,2',
  tcUrl: 'rtmpt://gateway.example:80/live',
  fpad: false,
  capabilities: 15,
  audioCodecs: 4071,
  videoCodecs: 252,
  videoFunction: 1,
};
const zero = '0000000000000000';

function bytes(...parts: string[]): Buffer {
  return hex(parts.join(' '));
}

function ascii(text: string): string {
  return Buffer.from(text).toString('hex');
}

/** The client's bytes, handshake included. */
function recorded(script: (client: ScriptedClient) => void): Buffer {
  const recorder = new ScriptedClient();
  const sent: Buffer[] = [];
  recorder.send = (piece) => void sent.push(piece);
  recorder.shakeHands();
  script(recorder);
  return Buffer.concat(sent);
}

function fed(pieces: readonly Buffer[]): ScriptedClient {
  const client = new ScriptedClient();
  for (const piece of pieces) client.send(piece);
  return client;
}
