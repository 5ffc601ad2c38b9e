import { describe, expect, it } from 'vitest';
import { RejectedError } from '../../src/errors.ts';
import { Hub, HUB_DEFAULTS, streamName, type Subscriber, type Subscription } from '../../src/hub/index.ts';
import type { Frame } from '../../src/media/index.ts';
import { aacHeader, audio } from '../support/frames.ts';

const NAME = streamName('live', 'one');

class Player implements Subscriber {
  readonly frames: Frame[] = [];
  readonly news: string[] = [];
  subscription: Subscription | undefined = undefined;

  readonly #leavesWhenOver: boolean;

  constructor(leavesWhenOver = false) {
    this.#leavesWhenOver = leavesWhenOver;
  }

  deliver(frame: Frame): void {
    this.frames.push(frame);
  }

  published(): void {
    this.news.push('published');
  }

  unpublished(): void {
    this.news.push('unpublished');
    if (this.#leavesWhenOver) this.subscription?.end();
  }
}

function join(hub: Hub, name = NAME, leavesWhenOver = false): Player {
  const player = new Player(leavesWhenOver);
  player.subscription = hub.subscribe(name, player);
  return player;
}

const QUIET = { end: (): void => {} };

function rejection(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RejectedError);
    return (error as RejectedError).code;
  }
}

describe('publishing', () => {
  it('reaches the players of that stream, those who came before and those who came after, and no others', () => {
    const hub = new Hub();
    const [early, other] = [join(hub), join(hub, streamName('live', 'two'))];
    const publication = hub.publish(NAME, QUIET, 0);
    const late = join(hub);
    expect([early.news, late.news, other.news]).toEqual([['published'], [], []]);
    expect([early, late, other].map((player) => player.subscription!.publishing)).toEqual([true, true, false]);
    publication.write(aacHeader(), 0);
    publication.write(audio(1), 1);
    expect([early, late, other].map((player) => player.frames.length)).toEqual([2, 2, 0]);
    expect(publication.viewers).toBe(2);
  });

  it('finds the stream however the address was cut', () => {
    const hub = new Hub();
    hub.publish(streamName('live/a', 'b?token=1'), QUIET, 0);
    expect(join(hub, streamName('live', 'a/b')).subscription!.publishing).toBe(true);
  });

  it('is refused while someone else does, and the first goes on', () => {
    const hub = new Hub();
    const ended: string[] = [];
    const first = hub.publish(NAME, { end: (reason) => ended.push(reason) }, 0);
    expect(rejection(() => hub.publish(NAME, QUIET, 1))).toBe('STREAM_TAKEN');
    const player = join(hub);
    first.write(audio(2), 2);
    expect([player.frames.length, ended]).toEqual([1, []]);
    first.end(3);
    expect(rejection(() => hub.publish(NAME, QUIET, 4))).toBeUndefined();
  });

  it('is not refused for one that has fallen silent: encoders come back before their broken connection is noticed', () => {
    const hub = new Hub();
    const ended: string[] = [];
    const first = hub.publish(NAME, { end: (reason) => ended.push(reason) }, 0);
    first.write(audio(0), 1000);
    expect(rejection(() => hub.publish(NAME, QUIET, 1000 + HUB_DEFAULTS.silenceMs - 1))).toBe('STREAM_TAKEN');
    expect(rejection(() => hub.publish(NAME, QUIET, 1000 + HUB_DEFAULTS.silenceMs))).toBeUndefined();
    expect(ended).toEqual(['taken over']);
    expect(rejection(() => hub.publish(NAME, QUIET, 1000 + HUB_DEFAULTS.silenceMs + 1))).toBe('STREAM_TAKEN');
  });

  it('takes the stream over if so configured; players stay', () => {
    const hub = new Hub({ republish: 'takeover' });
    const ended: string[] = [];
    const first = hub.publish(NAME, { end: (reason) => ended.push(reason) }, 0);
    const player = join(hub);
    first.write(audio(100), 100);
    const second = hub.publish(NAME, QUIET, 150);
    first.write(audio(120), 160);
    first.end(170);
    second.write(audio(0), 200);
    expect(ended).toEqual(['taken over']);
    expect(player.news).toEqual(['published']);
    expect(player.frames.map((frame) => frame.timestamp)).toEqual([100, 200]);
    expect(hub.deadline()).toBeUndefined();
  });
});

describe('a publisher that yields', () => {
  it.each(['refuse', 'takeover'] as const)(
    'loses the stream to any other, and takes it from nobody (%s)',
    (republish) => {
      const hub = new Hub({ republish });
      const ended: string[] = [];
      const fetched = { end: (reason: string) => void ended.push(reason), yields: true };
      hub.publish(NAME, fetched, 0);
      expect(rejection(() => hub.publish(NAME, fetched, 1))).toBe('STREAM_TAKEN');
      const own = hub.publish(NAME, QUIET, 2);
      expect(ended).toEqual(['taken over']);
      expect(rejection(() => hub.publish(NAME, fetched, HUB_DEFAULTS.silenceMs + 2))).toBe('STREAM_TAKEN');
      own.end(10_000);
      expect(rejection(() => hub.publish(NAME, fetched, 10_001))).toBeUndefined();
    },
  );
});

describe('the grace time', () => {
  it('keeps players until it is over, and not a millisecond longer', () => {
    const hub = new Hub({ graceMs: 500 });
    const publication = hub.publish(NAME, QUIET, 0);
    const player = join(hub);
    expect(hub.deadline()).toBeUndefined();
    publication.end(1000);
    expect(hub.deadline()).toBe(1500);
    hub.tick(1499);
    expect(player.news).toEqual([]);
    hub.tick(1500);
    expect(player.news).toEqual(['unpublished']);
    expect(hub.deadline()).toBeUndefined();
    hub.tick(9999);
    expect(player.news).toEqual(['unpublished']);
  });

  it('ends when the publisher returns', () => {
    const hub = new Hub({ graceMs: 500 });
    const first = hub.publish(NAME, QUIET, 0);
    const player = join(hub);
    first.write(audio(50), 50);
    first.end(100);
    const second = hub.publish(NAME, QUIET, 400);
    expect(hub.deadline()).toBeUndefined();
    hub.tick(2000);
    second.write(audio(0), 410);
    expect(player.news).toEqual(['published']);
    expect(player.frames.map((frame) => frame.timestamp)).toEqual([50, 410]);
  });

  it('runs for each stream on its own, the earliest first', () => {
    const hub = new Hub({ graceMs: 500 });
    const names = ['a', 'b', 'c'].map((key) => streamName('live', key));
    const publications = names.map((name) => hub.publish(name, QUIET, 0));
    const players = names.map((name) => join(hub, name));
    [1, 0, 2].forEach((which, i) => publications[which]!.end(100 + 10 * i));
    expect(hub.deadline()).toBe(600);
    hub.tick(610);
    expect(players.map((player) => player.news.length)).toEqual([1, 1, 0]);
    expect(hub.deadline()).toBe(620);
  });

  it('of nothing ends the stream at once', () => {
    const hub = new Hub({ graceMs: 0 });
    const publication = hub.publish(NAME, QUIET, 0);
    const player = join(hub, NAME, true);
    publication.end(5);
    expect(player.news).toEqual(['unpublished']);
    expect([hub.deadline(), [...hub.streams()]]).toEqual([undefined, []]);
  });

  it('is not waited for when the last player leaves', () => {
    const hub = new Hub();
    const publication = hub.publish(NAME, QUIET, 0);
    const player = join(hub);
    publication.end(0);
    expect(hub.deadline()).toBe(HUB_DEFAULTS.graceMs);
    player.subscription!.end();
    expect([hub.deadline(), [...hub.streams()]]).toEqual([undefined, []]);
  });

  it('leaves a player who stays after the end where it is, on one clock', () => {
    const hub = new Hub({ graceMs: 100 });
    const first = hub.publish(NAME, QUIET, 0);
    const player = join(hub);
    first.write(audio(40), 40);
    first.end(50);
    hub.tick(150);
    const second = hub.publish(NAME, QUIET, 1000);
    second.write(audio(0), 1040);
    expect(player.news).toEqual(['unpublished', 'published']);
    expect(player.frames.map((frame) => frame.timestamp)).toEqual([40, 1040]);
  });
});

describe('a hub', () => {
  it('forgets a stream that has neither publisher nor player, and begins it anew with a new clock', () => {
    const hub = new Hub();
    const publication = hub.publish(NAME, QUIET, 0);
    publication.write(audio(777), 0);
    expect([...hub.streams()].map((stream) => stream.name)).toEqual([NAME]);
    publication.end(1);
    expect([...hub.streams()]).toEqual([]);
    expect(hub.deadline()).toBeUndefined();
    const again = hub.publish(NAME, QUIET, 5);
    const player = join(hub);
    again.write(audio(3), 5);
    expect(player.frames.map((frame) => frame.timestamp)).toEqual([3]);
  });

  it('does not confuse a forgotten stream with a new one of its name', () => {
    const hub = new Hub();
    const old = hub.publish(NAME, QUIET, 0);
    const oldPlayer = join(hub);
    old.end(1);
    oldPlayer.subscription!.end();
    hub.publish(NAME, QUIET, 2);
    oldPlayer.subscription!.end();
    old.end(3);
    old.write(audio(4), 4);
    expect([...hub.streams()].map((stream) => [stream.publishing, stream.frames])).toEqual([[true, 0]]);
    expect(hub.deadline()).toBeUndefined();
  });

  it('tells everybody when it stops, and takes nobody afterwards', () => {
    const hub = new Hub();
    const ended: string[] = [];
    const publication = hub.publish(NAME, { end: (reason) => (ended.push(reason), publication.end(9)) }, 0);
    const [player, waiting] = [join(hub, NAME, true), join(hub, streamName('live', 'later'))];
    hub.stop();
    expect([ended, player.news, waiting.news]).toEqual([['the gateway stops'], ['unpublished'], ['unpublished']]);
    publication.write(audio(1), 1);
    publication.end(2);
    expect([player.frames, [...hub.streams()], hub.deadline()]).toEqual([[], [], undefined]);
    expect(rejection(() => hub.publish(NAME, QUIET, 3))).toBe('HUB_STOPPED');
    expect(rejection(() => join(hub))).toBe('HUB_STOPPED');
  });

  it('stops even if a publisher or player fails while it is told', () => {
    const hub = new Hub();
    const fail = (): void => {
      throw new Error('oh dear');
    };
    hub.publish(NAME, { end: fail }, 0);
    hub.subscribe(NAME, { deliver: fail, published: fail, unpublished: fail });
    const player = join(hub);
    hub.stop();
    expect(player.news).toEqual(['unpublished']);
  });
});
