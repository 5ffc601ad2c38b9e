import type { Kind, Slot } from './order.ts';
import type { Tunnel } from './tunnel.ts';

/** Whoever parsed the HTTP: the tunnel's own connection, or one request of the web server. */
export interface Engine {
  /** One of its posts may have its answer now: ask again, later in this turn. */
  wake(): void;
  /** The core takes bytes again. */
  resume(): void;
}

/** One numbered request, a send or an idle, from its head to its answer. */
export class Post {
  readonly tunnel: Tunnel;
  readonly kind: Kind;
  readonly number: number;
  /** Infinity when the body has no length (chunked). */
  readonly length: number;
  /** Whether the connection stays open behind the answer. */
  readonly persistent: boolean;
  readonly engine: Engine;
  readonly arrivedAt: number;
  /** Where its bytes go; undefined when there is nothing (more) to bring. */
  slot: Slot | undefined;
  /** Bytes of the body that came by this connection. */
  offset = 0;
  /** The body is here as a whole. */
  complete = false;
  /** The first time that its number, or a higher one, was heard of. */
  fresh = false;
  /** The number before it, or rather the highest one so far, was a send. */
  afterSend = false;
  /** It came when everything before it was done. */
  inOrder = false;
  /** It is not to be held any longer: its connection is needed for something else, or going away. */
  released = false;
  /** Answers owed right before this one, to earlier posts of the same session on the same connection: all bare. */
  before = 0;
  /** Lines of its answer that were written before its body was here. */
  early = 0;

  constructor(tunnel: Tunnel, head: PostHead, engine: Engine, now: number) {
    this.tunnel = tunnel;
    // A send without a body is an idle in all but name.
    this.kind = head.length === 0 ? 'idle' : head.kind;
    this.number = head.number;
    this.length = head.length;
    this.persistent = head.persistent;
    this.engine = engine;
    this.arrivedAt = now;
  }
}

export interface PostHead {
  readonly kind: Kind;
  readonly number: number;
  readonly length: number;
  readonly persistent: boolean;
}
