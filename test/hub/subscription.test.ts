import { describe, expect, it } from 'vitest';
import { GOP_DEFAULTS, type Subscriber, type Subscription } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { retimed } from '../../src/media/index.ts';
import {
  aacHeader,
  audio,
  avcHeader,
  clearMetadata,
  cuePoint,
  inter,
  key,
  metadata,
  trackHeader,
  trackVideo,
} from '../support/frames.ts';
import { stage, words, type Player } from '../support/stage.ts';

describe('a player who is there before the publisher’s first frame', () => {
  it('gets the headers at the time of the first keyframe, then everything, the publisher’s very frames', () => {
    const { join, send } = stage();
    const player = join();
    const frames = [key(100), audio(101), inter(140)];
    send(metadata(), avcHeader(), aacHeader(), inter(50), audio(60), ...frames);
    expect(words(player)).toEqual([
      'data:onMetaData@100',
      'video:0:header@100',
      'audio:0:header@100',
      'key@100',
      'audio@101',
      'video@140',
    ]);
    player.frames.slice(3).forEach((frame, i) => expect(frame).toBe(frames[i]));
  });

  it('hears a stream without video from its first sound', () => {
    const { join, send } = stage();
    const player = join();
    send(metadata(), aacHeader(), audio(7), audio(8));
    expect(words(player)).toEqual(['data:onMetaData@7', 'audio:0:header@7', 'audio@7', 'audio@8']);
  });

  it('hears a stream that announced video and has sent none yet', () => {
    const { join, send } = stage();
    const player = join();
    send(avcHeader(), aacHeader(), audio(7), key(20));
    expect(words(player)).toEqual(['video:0:header@7', 'audio:0:header@7', 'audio@7', 'key@20']);
  });

  it('gets the data of a stream that has nothing else', () => {
    const { join, send } = stage();
    const player = join();
    send(metadata(3), cuePoint(5));
    expect(words(player)).toEqual(['data:onMetaData@5', 'data@5']);
  });
});

describe('a player who joins', () => {
  it('gets no data from before the keyframe that it begins with, now or to come', () => {
    const { join, send } = stage();
    send(avcHeader(), key(10), cuePoint(15, 1), inter(20), key(30), cuePoint(35, 2), inter(40));
    const [player, patient] = [join(), join({ gop: false })];
    expect(words(player)).toEqual(['video:0:header@30', 'key@30', 'data@35', 'video@40']);
    send(cuePoint(45, 3), key(50), cuePoint(55, 4));
    expect(words(player).slice(4)).toEqual(['data@45', 'key@50', 'data@55']);
    expect(words(patient)).toEqual(['video:0:header@50', 'key@50', 'data@55']);
  });

  it('gets the headers at the time of the last keyframe, and all since then', () => {
    const { join, send } = stage();
    send(metadata(), avcHeader(), aacHeader(), key(10), inter(20), key(30), audio(31), cuePoint(32), inter(40));
    const player = join();
    const before = [
      'data:onMetaData@30',
      'video:0:header@30',
      'audio:0:header@30',
      'key@30',
      'audio@31',
      'data@32',
      'video@40',
    ];
    expect(words(player)).toEqual(before);
    send(inter(50));
    expect(words(player)).toEqual([...before, 'video@50']);
  });

  it('gets the same objects as others who join at the same time, so that encodings are shared', () => {
    const { join, send } = stage();
    send(metadata(), avcHeader(), key(10), inter(20));
    const [one, two] = [join(), join()];
    one.frames.forEach((frame, i) => expect(two.frames[i]).toBe(frame));
  });

  it('waits for the next keyframe if it wants no group of pictures', () => {
    const { join, send } = stage();
    send(avcHeader(), key(10));
    const player = join({ gop: false });
    send(inter(20), audio(21), cuePoint(22));
    expect(words(player)).toEqual([]);
    send(key(30), audio(31));
    expect(words(player)).toEqual(['video:0:header@30', 'key@30', 'audio@31']);
  });

  it('waits for the next keyframe if the group of pictures became too long', () => {
    const { join, send } = stage();
    send(avcHeader(), key(0));
    for (let i = 1; i < GOP_DEFAULTS.maxFrames; i++) send(inter(i));
    expect(join().frames).toHaveLength(GOP_DEFAULTS.maxFrames + 1);
    send(inter(2500));
    expect(join().frames).toHaveLength(0);
  });

  it('starts a stream without video with the next sound: nothing of it is kept', () => {
    const { join, send, channel } = stage();
    send(aacHeader(), audio(1), audio(2));
    const player = join();
    expect(player.frames).toHaveLength(0);
    expect(channel.info().gopFrames).toBe(0);
    send(audio(3));
    expect(words(player)).toEqual(['audio:0:header@3', 'audio@3']);
  });

  it('gets the configurations that held at the keyframe, and a changed one where it changed', () => {
    const { join, send } = stage();
    send(avcHeader(0, 1), aacHeader(0, 1), key(10), aacHeader(15, 2), audio(16));
    expect(join().frames).toEqual([
      retimed(avcHeader(0, 1), 10),
      retimed(aacHeader(0, 1), 10),
      key(10),
      aacHeader(15, 2),
      audio(16),
    ]);
  });

  it('does not get metadata that was cleared, nor the clearing', () => {
    const { join, send } = stage();
    const early = join();
    send(metadata(), avcHeader(), key(10), metadata(11, 1), clearMetadata(12), inter(20));
    expect(words(join())).toEqual(['video:0:header@10', 'key@10', 'video@20']);
    expect(words(early).at(-1)).toBe('video@20');
    expect(words(early)).toHaveLength(5);
  });

  it('gets other tracks only from their own keyframe', () => {
    const { join, send } = stage();
    send(avcHeader(), trackHeader(1), trackVideo('key', 1, 0), key(1), trackVideo('inter', 1, 2), inter(3));
    const player = join();
    expect(words(player)).toEqual(['video:0:header@1', 'video:1:header@1', 'key@1', 'video@3']);
    send(trackVideo('inter', 1, 4), trackVideo('key', 1, 5), trackVideo('inter', 1, 6));
    expect(words(player).slice(4)).toEqual(['key@5', 'video@6']);
  });
});

describe('a playing player', () => {
  it('is not told a configuration again that has not changed, but is told one that has', () => {
    const { join, send } = stage();
    send(avcHeader(0, 1), key(0));
    const player = join();
    send(avcHeader(10, 1), avcHeader(20, 2), key(20));
    expect(words(player).slice(2)).toEqual(['video:0:header@20', 'key@20']);
  });

  it('gets data in its place between the media', () => {
    const { join, send } = stage();
    send(avcHeader(), key(0));
    const player = join();
    send(inter(1), cuePoint(1), audio(1), cuePoint(2), inter(3));
    expect(player.frames.slice(2)).toEqual([inter(1), cuePoint(1), audio(1), cuePoint(2), inter(3)]);
  });

  it('begins anew when it asks to', () => {
    const { join, send } = stage();
    send(avcHeader(), key(0), inter(1));
    const player = join();
    player.frames.length = 0;
    player.subscription.restart();
    expect(words(player)).toEqual(['video:0:header@0', 'key@0', 'video@1']);
    const patient = join({ gop: false });
    send(key(5));
    patient.frames.length = 0;
    patient.subscription.restart();
    send(inter(6));
    expect(patient.frames).toHaveLength(0);
    send(key(7));
    expect(words(patient)).toEqual(['video:0:header@7', 'key@7']);
  });

  it('gets nothing once it left, and may leave twice', () => {
    const { join, send, channel } = stage();
    send(avcHeader(), key(0));
    const [one, two] = [join(), join()];
    one.subscription.end();
    one.subscription.end();
    one.subscription.restart();
    send(inter(1));
    expect([one.frames.length, two.frames.length, channel.viewers]).toEqual([2, 3, 1]);
  });
});

describe('a player who throws', () => {
  it.each(['deliver', 'published'] as const)('in %s is cut off, is told so, and hurts nobody else', (where) => {
    const errors: object[] = [];
    const { channel, publish, join, send } = stage({ ...NO_LOG, error: (fields) => errors.push(fields) });
    const told: string[] = [];
    const faulty: Subscriber = { deliver: () => {}, published: () => {}, unpublished: () => told.push('unpublished') };
    faulty[where] = () => {
      throw new Error('oh dear');
    };
    const before = join();
    channel.subscribe(faulty, true);
    const after = join();
    publish();
    send(audio(1), audio(2));
    expect([before, after].map(words)).toEqual([
      ['audio@1', 'audio@2'],
      ['audio@1', 'audio@2'],
    ]);
    expect(told).toEqual(['unpublished']);
    expect(errors).toHaveLength(1);
    expect(channel.viewers).toBe(2);
  });

  it('even while it is told of its end, or while it joins, hurts nobody else', () => {
    const { channel, join, send } = stage();
    const fail = (): void => {
      throw new Error('oh dear');
    };
    send(avcHeader(), key(0));
    channel.subscribe({ deliver: fail, published: fail, unpublished: fail }, true);
    const player = join();
    channel.expire();
    send(inter(1));
    expect(words(player)).toEqual(['video:0:header@0', 'key@0', 'video@1']);
    expect(channel.viewers).toBe(1);
  });
});

describe('while a frame is handed round', () => {
  it('players may leave and join, and everybody else gets it once', () => {
    const { channel, join, send } = stage();
    send(avcHeader(), key(0));
    const all: (Player & { subscription: Subscription })[] = [];
    const late: Player[] = [];
    const busy: Subscriber = {
      deliver(frame) {
        if (frame.timestamp !== 5) return;
        all[0]!.subscription.end();
        all[2]!.subscription.end();
        late.push(join());
        expect(channel.viewers).toBe(3);
      },
      published() {},
      unpublished() {},
    };
    all.push(join());
    channel.subscribe(busy, true);
    all.push(join(), join());
    send(inter(5));
    send(inter(6));
    expect(words(all[0]!).slice(2)).toEqual(['video@5']);
    expect(words(all[1]!).slice(2)).toEqual(['video@5', 'video@6']);
    expect(words(all[2]!).slice(2)).toEqual([]);
    expect(words(late[0]!)).toEqual(['video:0:header@0', 'key@0', 'video@5', 'video@6']);
    expect(channel.viewers).toBe(3);
  });
});
