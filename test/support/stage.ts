import { Channel } from '../../src/hub/channel.ts';
import { FairShare } from '../../src/hub/fair-share.ts';
import { Gop } from '../../src/hub/gop.ts';
import {
  GOP_DEFAULTS,
  HUB_DEFAULTS,
  streamName,
  type GopLimits,
  type Publication,
  type Subscriber,
  type Subscription,
} from '../../src/hub/index.ts';
import { NO_LOG, type Log } from '../../src/log.ts';
import type { Frame } from '../../src/media/index.ts';

/** Remembers everything it is given and told. */
export class Player implements Subscriber {
  readonly frames: Frame[] = [];
  readonly news: string[] = [];

  deliver(frame: Frame): void {
    this.frames.push(frame);
  }

  published(): void {
    this.news.push('published');
  }

  unpublished(): void {
    this.news.push('unpublished');
  }
}

/** A channel with a publisher, and what a test does to it. */
export interface Stage {
  readonly channel: Channel;
  /** Publishes anew: the former publisher, if any, loses the stream. */
  readonly publish: () => Publication;
  readonly join: (options?: { gop?: boolean }) => Player & { subscription: Subscription };
  /** Writes frames at the times they carry. */
  readonly send: (...frames: Frame[]) => void;
  readonly ended: string[];
}

/** A group of pictures with a memory of its own. */
export function ownGop(limits: GopLimits = GOP_DEFAULTS): Gop {
  return new Gop(limits, new FairShare(HUB_DEFAULTS.maxGopMemoryBytes));
}

export function stage(log: Log = NO_LOG): Stage {
  const ended: string[] = [];
  const channel = new Channel(streamName('live', 'one'), ownGop(), log, () => ended.push('unused'));
  let publication: Publication | undefined;
  let count = 0;
  const publish = (): Publication => {
    const id = ++count;
    publication = channel.publish({ end: (reason) => ended.push(`${id} ${reason}`) }, 0, () => {});
    return publication;
  };
  const join = (options: { gop?: boolean } = {}): Player & { subscription: Subscription } => {
    const player = new Player();
    return Object.assign(player, { subscription: channel.subscribe(player, options.gop ?? true) });
  };
  const send = (...frames: Frame[]): void => {
    for (const frame of frames) publication!.write(frame, frame.timestamp);
  };
  publish();
  return { channel, publish, join, send, ended };
}

/** In one word each: what a player got. */
export function words(player: Player): string[] {
  return player.frames.map(
    (frame) => `${frame.configKey ?? (frame.isKeyframe ? 'key' : frame.kind)}@${frame.timestamp}`,
  );
}
