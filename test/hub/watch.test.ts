import { describe, expect, it } from 'vitest';
import { Hub, pathOf, streamName, type StreamName, type Subscriber, type Watcher } from '../../src/hub/index.ts';
import { audio } from '../support/frames.ts';
import { recordingLog } from '../support/recording-log.ts';

const NAME = streamName('live', 'one');
const QUIET = { end: (): void => {} };

/** A player that leaves when the stream is over. */
function join(hub: Hub, options: Parameters<Hub['subscribe']>[2] = {}, name = NAME): { end(): void; frames: number } {
  const player = { frames: 0, end: (): void => subscription.end() };
  const subscriber: Subscriber = {
    deliver: () => void player.frames++,
    published: () => {},
    unpublished: () => player.end(),
  };
  const subscription = hub.subscribe(name, subscriber, options);
  return player;
}

function watched(options: ConstructorParameters<typeof Hub>[0] = {}): { hub: Hub; news: string[] } {
  const hub = new Hub(options);
  const news: string[] = [];
  const say = (what: string) => (name: StreamName) => void news.push(`${what} ${pathOf(name)}`);
  hub.watch({
    published: say('published'),
    unpublished: say('unpublished'),
    wanted: say('wanted'),
    unwanted: say('unwanted'),
  });
  return { hub, news };
}

describe('a watcher of the hub', () => {
  it('hears of a stream that nobody plays when it comes and, at once, when it goes', () => {
    const { hub, news } = watched();
    const publication = hub.publish(NAME, QUIET, 0);
    expect(news).toEqual(['published live/one']);
    publication.end(10);
    publication.end(11);
    expect(news).toEqual(['published live/one', 'unpublished live/one']);
  });

  it('hears that a stream with players is over only when the grace time is', () => {
    const { hub, news } = watched({ graceMs: 1000 });
    const publication = hub.publish(NAME, QUIET, 0);
    join(hub);
    publication.end(10);
    hub.tick(1009);
    expect(news).toEqual(['published live/one']);
    hub.tick(1010);
    expect(news).toEqual(['published live/one', 'unwanted live/one', 'unpublished live/one']);
  });

  it('hears of a publisher that returns in time as published again, with no end between', () => {
    const { hub, news } = watched({ graceMs: 1000 });
    const first = hub.publish(NAME, QUIET, 0);
    join(hub);
    first.end(10);
    const second = hub.publish(NAME, QUIET, 500);
    hub.tick(5000);
    expect(news).toEqual(['published live/one', 'published live/one']);
    second.end(6000);
    hub.tick(7000);
    expect(news.slice(2)).toEqual(['unwanted live/one', 'unpublished live/one']);
  });

  it('hears the end when the last who waited in the grace time leaves', () => {
    const { hub, news } = watched();
    const publication = hub.publish(NAME, QUIET, 0);
    const player = join(hub);
    publication.end(10);
    player.end();
    expect(news).toEqual(['published live/one', 'unwanted live/one', 'unpublished live/one']);
    hub.tick(100_000);
    expect(news).toHaveLength(3);
  });

  it('hears no end without a grace time twice, and of a take-over as published', () => {
    const { hub, news } = watched({ graceMs: 0, republish: 'takeover' });
    hub.publish(NAME, QUIET, 0);
    const second = hub.publish(NAME, QUIET, 1);
    second.end(2);
    expect(news).toEqual(['published live/one', 'published live/one', 'unpublished live/one']);
  });

  it('may subscribe when it hears of a stream, and then misses no frame', () => {
    const hub = new Hub();
    let player: ReturnType<typeof join> | undefined;
    hub.watch({ published: () => (player = join(hub)) });
    hub.publish(NAME, QUIET, 0).write(audio(1), 1);
    expect(player?.frames).toBe(1);
  });

  it('hears of players only as long as nobody publishes, and of the last one that leaves', () => {
    const { hub, news } = watched();
    const [first, second] = [join(hub), join(hub)];
    first.end();
    expect(news).toEqual(['wanted live/one', 'wanted live/one']);
    second.end();
    expect(news.slice(2)).toEqual(['unwanted live/one']);
    hub.publish(NAME, QUIET, 0);
    join(hub).end();
    expect(news.slice(3)).toEqual(['published live/one', 'unwanted live/one']);
  });

  it('hears nothing of those who only take what is there', () => {
    const { hub, news } = watched();
    const passive = join(hub, { passive: true });
    expect([news, hub.playersOf(NAME)]).toEqual([[], 0]);
    const player = join(hub);
    expect(hub.playersOf(NAME)).toBe(1);
    player.end();
    passive.end();
    expect(news).toEqual(['wanted live/one', 'unwanted live/one']);
  });

  it('is told behind which gateways a player sits, and may ask through which a stream came', () => {
    const hub = new Hub();
    const heard: (readonly string[])[] = [];
    hub.watch({ wanted: (_name, hops) => heard.push(hops) });
    join(hub, { hops: ['a', 'b'] });
    join(hub);
    expect(heard).toEqual([['a', 'b'], []]);
    expect(hub.hopsOf(NAME)).toEqual([]);
    const publication = hub.publish(NAME, { ...QUIET, hops: ['c'] }, 0);
    expect(hub.hopsOf(NAME)).toEqual(['c']);
    publication.end(1);
    expect(hub.hopsOf(NAME)).toEqual([]);
  });

  it('that fails is logged and harms nobody', () => {
    const { log, lines } = recordingLog();
    const hub = new Hub({}, log);
    const news: string[] = [];
    const broken: Watcher = {
      published: () => {
        throw new Error('broken');
      },
    };
    hub.watch(broken);
    hub.watch({ published: () => void news.push('told') });
    expect(() => hub.publish(NAME, QUIET, 0)).not.toThrow();
    expect(news).toEqual(['told']);
    expect(lines.map(({ level }) => level)).toContain('error');
  });

  it('hears nothing any more once it stopped watching, even in the midst of news', () => {
    const hub = new Hub();
    const news: string[] = [];
    const stop = hub.watch({
      published: () => {
        news.push('one');
        stop();
      },
    });
    hub.watch({ published: () => void news.push('two') });
    hub.publish(NAME, QUIET, 0);
    hub.publish(streamName('live', 'two'), QUIET, 0);
    expect(news).toEqual(['one', 'two', 'two']);
  });

  it('hears the end of everything when the hub stops, and of nothing twice', () => {
    const { hub, news } = watched();
    hub.publish(NAME, QUIET, 0);
    join(hub);
    hub.publish(streamName('live', 'two'), QUIET, 0);
    hub.stop();
    expect(news.slice(2)).toEqual(['unwanted live/one', 'unpublished live/one', 'unpublished live/two']);
  });
});
