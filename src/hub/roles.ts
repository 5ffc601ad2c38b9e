import type { Frame } from '../media/index.ts';
import type { Outbox, OutboxLimits } from './outbox.ts';
import type { StreamName } from './stream-name.ts';

/** Who sends a stream. */
export interface Publisher {
  /** The gateways that the stream came through on its way here, by their ids: what a relay must not close to a ring. */
  readonly hops?: readonly string[];
  /** They have the stream for want of a better publisher: any other takes it from them, and they from nobody. */
  readonly yields?: boolean;
  /** The stream is no longer theirs: taken over, or the hub stops. Their further frames are ignored. */
  end(reason: string): void;
}

/** Who receives a stream. An exception from any of these ends that subscription and touches no other. */
export interface Subscriber {
  /** The next frame, in order. Called from within the publisher's `write`: put it in an Outbox and return. */
  deliver(frame: Frame): void;
  /** A publisher came, or returned: new configurations and a keyframe follow. */
  published(): void;
  /** The grace time ran out, or the hub stops: the stream is over. The subscription stands until it is ended. */
  unpublished(): void;
}

/** What a player of a stream may ask for when it subscribes. */
export interface SubscribeOptions {
  /** False waits for the next keyframe instead of beginning with the last group of pictures. */
  readonly gop?: boolean;
  /** Takes the stream while it is there but is no reason to fetch or to keep it: recordings, pushes. */
  readonly passive?: boolean;
  /** The gateways behind which the player sits, as `Publisher.hops`. */
  readonly hops?: readonly string[];
}

/**
 * Who follows which streams come and go. Called synchronously, from within the hub: it may subscribe and publish at once, and
 * an exception touches nobody else.
 */
export interface Watcher {
  /** Somebody publishes now, the first or one after another; before the first frame. */
  published?(name: StreamName): void;
  /** The stream is over: its publisher left and the grace time ran out, or nobody was there to wait. */
  unpublished?(name: StreamName): void;
  /** A player came to a stream that nobody publishes, the first or a further one. `hops`: behind these gateways. */
  wanted?(name: StreamName, hops: readonly string[]): void;
  /** The last player left, whether or not somebody publishes. Passive ones do not count. */
  unwanted?(name: StreamName): void;
}

/** One publisher's hold on a stream. */
export interface Publication {
  /** Passes a frame to all players. `now`: milliseconds of the hub's clock. Ignored once the publication has ended. */
  write(frame: Frame, now: number): void;
  /** Gives the stream up; players wait for the grace time. Harmless when repeated. */
  end(now: number): void;
  /** Players at this moment. */
  readonly viewers: number;
}

/** One player's hold on a stream. */
export interface Subscription {
  /** Whether someone publishes at this moment. */
  readonly publishing: boolean;
  /** Begins anew, as after un-pausing: metadata, configurations and the last group of pictures, or wait for a keyframe. */
  restart(): void;
  /** A queue for when the player cannot keep up; it knows the stream as far as the player has been given it. */
  createOutbox(limits: OutboxLimits): Outbox;
  /** No frame comes any more. Harmless when repeated. */
  end(): void;
}

/** What one channel is doing, for people and meters. */
export interface StreamInfo {
  readonly name: StreamName;
  readonly publishing: boolean;
  /** When the present publisher came, on the hub's clock. */
  readonly since: number | undefined;
  readonly subscribers: number;
  /** Frames and payload bytes that publishers wrote since the channel came into being. */
  readonly frames: number;
  readonly bytes: number;
  readonly gopFrames: number;
  readonly gopBytes: number;
  /** Codecs by their configurations, as far as known: "avc1", "mp4a". */
  readonly codecs: readonly string[];
}
