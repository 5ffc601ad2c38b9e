import { describe, expect, it } from 'vitest';
import { Channel } from '../../src/hub/channel.ts';
import { streamName, type Publication, type Subscriber, type Subscription } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { Decoder, Source, type SourceShape } from '../support/decoder.ts';
import { aacHeader, audio, avcHeader, inter, key, metadata } from '../support/frames.ts';
import { seeded } from '../support/random.ts';
import { ownGop, stage, words } from '../support/stage.ts';

describe('a returning publisher', () => {
  it('continues the clock, sends its headers again, and starts with a keyframe', () => {
    const { channel, publish, join } = stage();
    const player = join();
    const first = publish();
    first.write(avcHeader(0), 0);
    first.write(key(1000), 5000);
    first.write(audio(1010), 5010);
    first.end(5010);
    expect(join().frames).toHaveLength(0);
    const second = publish();
    for (const frame of [metadata(), avcHeader(0), aacHeader(0), inter(500), audio(501)]) second.write(frame, 9010);
    second.write(key(540), 9050);
    second.write(audio(541), 9051);
    expect(words(player)).toEqual([
      'video:0:header@1000',
      'key@1000',
      'audio@1010',
      'data:onMetaData@5050',
      'video:0:header@5050',
      'audio:0:header@5050',
      'key@5050',
      'audio@5051',
    ]);
    expect(player.news).toEqual(['published', 'published']);
    expect(channel.publishing).toBe(true);
  });

  it('brings its own configurations: those of the one before are forgotten', () => {
    const { publish, join, send } = stage();
    send(metadata(), avcHeader(), aacHeader(), key(0));
    publish();
    const player = join();
    send(avcHeader(0, 9), key(0));
    expect(player.frames.map((frame) => frame.configKey)).toEqual(['video:0:header', undefined]);
  });

  it('that sends sound alone is heard at once, whatever the one before sent', () => {
    const { publish, join, send } = stage();
    send(avcHeader(), key(0));
    publish();
    const player = join();
    send(audio(7));
    expect(words(player)).toEqual(['audio@7']);
  });

  it('ends the one before it, whose frames and ending count no more', () => {
    const { publish, join, send, ended, channel } = stage();
    const former = publish();
    const player = join();
    publish();
    expect(ended).toEqual(['1 taken over', '2 taken over']);
    former.write(audio(5), 5);
    former.end(6);
    expect(channel.publishing).toBe(true);
    send(audio(7));
    expect(words(player)).toEqual(['audio@7']);
  });

  it('is published even if the one before fails while it is told', () => {
    const channel = new Channel(streamName('', 'k'), ownGop(), NO_LOG, () => {});
    const faulty = { end: () => expect.fail('told') };
    channel.publish(faulty, 0, () => {});
    channel.publish({ end: () => {} }, 0, () => {});
    expect(channel.publishing).toBe(true);
  });
});

describe('a channel', () => {
  it('says when nobody is left', () => {
    const { publish, join, ended } = stage();
    const player = join();
    const publication = publish();
    publication.end(0);
    publication.end(0);
    expect(ended).toEqual(['1 taken over']);
    player.subscription.end();
    expect(ended).toEqual(['1 taken over', 'unused']);
  });

  it('tells what it is doing', () => {
    const { channel, join, send } = stage();
    send(metadata(), avcHeader(), aacHeader(), key(0), inter(1));
    join();
    expect(channel.info()).toEqual({
      name: { app: 'live', key: 'one' },
      publishing: true,
      since: 0,
      subscribers: 1,
      frames: 5,
      bytes: 15 + 12 + 4 + 8 + 8,
      gopFrames: 2,
      gopBytes: 16,
      codecs: ['avc1', 'mp4a'],
    });
  });
});

describe('whatever happens, a player of a channel', () => {
  const shapes: SourceShape[] = [
    { video: true, audio: true, tracks: 0 },
    { video: true, audio: true, tracks: 2 },
    { video: false, audio: true, tracks: 0 },
  ];

  it.each(shapes)('gets only what can be decoded, in order, headers first: %o', (shape) => {
    let delivered = 0;
    for (let seed = 0; seed < 40; seed++) {
      const random = seeded(seed);
      const limits = {
        maxFrames: 5 + random.int(40),
        maxBytes: 500 + random.int(5000),
        maxDurationMs: 100 + random.int(2000),
      };
      const channel = new Channel(streamName('live', 'x'), ownGop(limits), NO_LOG, () => {});
      let source: Source;
      let publication: Publication | undefined;
      const players: { decoder: Decoder; subscription: Subscription }[] = [];
      const fresh = (): Decoder => new Decoder(source, 'of the first frame');
      const join = (): void => {
        const player = { decoder: fresh() } as { decoder: Decoder; subscription: Subscription };
        const subscriber: Subscriber = {
          deliver: (frame) => player.decoder.accept(frame),
          published: () => (player.decoder = fresh()),
          unpublished: () => expect.fail('a player stumbled'),
        };
        player.subscription = channel.subscribe(subscriber, random.int(3) > 0);
        players.push(player);
      };
      for (let now = 0; now < 1500; now++) {
        const dice = random.int(200);
        if (publication === undefined || dice === 0) {
          source = new Source(random, shape, random.bytes(4).readUInt32BE());
          publication = channel.publish({ end: () => {} }, now, () => {});
        } else if (dice < 5) join();
        else if (dice < 7 && players.length > 0) random.pick(players).subscription.end();
        else if (dice < 9 && players.length > 0) {
          const player = random.pick(players);
          player.decoder = fresh();
          player.subscription.restart();
        } else publication.write(source!.next(), now);
      }
      for (const { decoder } of players) delivered += decoder.frames;
    }
    expect(delivered).toBeGreaterThan(10_000);
  });
});
