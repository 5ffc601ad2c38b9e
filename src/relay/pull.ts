import { RefusedByServer, type RtmpClient } from '../endpoint/index.ts';
import { RejectedError, TransportError } from '../errors.ts';
import type { Publication, StreamName } from '../hub/index.ts';
import { frameFromMessage, isAboutPlaying, type Frame } from '../media/index.ts';
import { connect, type Attempt, type RelayShared, type Traffic } from './attempt.ts';
import { withoutSecrets } from './secrets.ts';
import type { Target } from './target.ts';

export interface PullOptions {
  /** How long a server may send nothing until the next one is asked. Milliseconds. */
  readonly silenceMs: number;
}

/** What a server says when there is nothing to play any more, though the connection stands. */
const OVER = ['NetStream.Play.UnpublishNotify', 'NetStream.Play.Stop', 'NetStream.Play.Complete'];

/** A stream fetched from the first of several servers that has it. Published here from its first packet on, not before. */
export class Pull implements Attempt {
  readonly #name: StreamName;
  readonly #sources: readonly Target[];
  readonly #shared: RelayShared;
  readonly #options: PullOptions;
  readonly #hops: readonly string[];
  readonly #now: () => number;
  #turn = 0;
  #publication: Publication | undefined = undefined;
  /** Also while the hub tells everybody that somebody publishes. */
  #isPublishing = false;
  #fail: ((fault: Error) => void) | undefined = undefined;
  #heardAt = 0;
  #frames = 0;
  #bytes = 0;

  /** `sources`: at least one, in the order in which they are asked. `hops`: of the player that it is fetched for. */
  constructor(
    name: StreamName,
    sources: readonly Target[],
    shared: RelayShared,
    options: PullOptions,
    hops: readonly string[],
    now: () => number,
  ) {
    this.#name = name;
    this.#sources = sources;
    this.#shared = shared;
    this.#options = options;
    this.#hops = hops;
    this.#now = now;
  }

  get choices(): number {
    return this.#sources.length;
  }

  get shown(): string {
    return this.#source.shown;
  }

  /** The stream that is published here is this one. */
  get isPublishing(): boolean {
    return this.#isPublishing;
  }

  get traffic(): Traffic {
    const queued = { frames: 0, bytes: 0, ms: 0 };
    return { bytes: this.#bytes, unacknowledged: undefined, frames: this.#frames, dropped: 0, queued, leftOut: [] };
  }

  hide(text: string): string {
    return withoutSecrets(text, this.#sources);
  }

  async once(signal: AbortSignal, live: () => void): Promise<never> {
    let fault: Error | undefined;
    this.#heardAt = this.#now();
    const status = (_: number, status: RefusedByServer['status']): void => {
      if (OVER.includes(status.code)) this.#fail?.(over());
      else if (status.level === 'error') this.#fail?.(new RefusedByServer({ what: 'play', status }));
    };
    try {
      const { client, stream } = await connect(
        this.#source,
        this.#shared,
        { hops: this.#hops, client: { status } },
        signal,
      );
      this.#fail = (reason) => {
        fault ??= reason;
        stream.destroy();
      };
      try {
        await this.#play(client, live);
      } finally {
        stream.destroy();
      }
      throw new TransportError('CONNECTION_CLOSED', 'the server left');
    } catch (error) {
      throw fault ?? error;
    } finally {
      this.#fail = undefined;
      this.#takeTurns();
      this.#endPublication();
    }
  }

  check(now: number): void {
    const { silenceMs } = this.#options;
    if (now - this.#heardAt < silenceMs) return;
    this.#fail?.(new TransportError('PEER_STALLED', `the server sent nothing for ${silenceMs / 1000} s`));
  }

  /** Nobody is told: the players that are left wait for the grace time. */
  async stop(): Promise<void> {
    this.#fail?.(new TransportError('CONNECTION_CLOSED', 'no longer wanted'));
  }

  get #source(): Target {
    return this.#sources[this.#turn % this.#sources.length]!;
  }

  async #play(client: RtmpClient, live: () => void): Promise<void> {
    const hear = (frame: Frame): void => {
      if (frame.kind === 'data' && isAboutPlaying(frame.type, frame.payload)) return;
      if (this.#publication === undefined) {
        this.#publish();
        live();
      }
      this.#heardAt = this.#now();
      this.#frames++;
      this.#bytes += frame.payload.length;
      this.#publication?.write(frame, this.#heardAt);
    };
    const ended = (): void => this.#fail?.(over());
    await client.play(this.#source.key, { message: (message) => hear(frameFromMessage(message)), ended });
    const fault = await client.closed;
    if (fault !== undefined) throw fault;
  }

  /** The next server's turn, unless this one had the stream: then it is the first one's again. */
  #takeTurns(): void {
    this.#turn = this.#isPublishing ? 0 : this.#turn + 1;
  }

  /** Throws `RejectedError` STREAM_TAKEN when somebody publishes it here. */
  #publish(): void {
    const end = (): void => {
      this.#isPublishing = false;
      this.#fail?.(new RejectedError('STREAM_TAKEN', 'the stream is published here'));
    };
    this.#isPublishing = true;
    this.#publication = this.#shared.hub.publish(this.#name, { end, yields: true }, this.#now());
  }

  #endPublication(): void {
    const publication = this.#publication;
    this.#publication = undefined;
    this.#isPublishing = false;
    publication?.end(this.#now());
  }
}

function over(): TransportError {
  return new TransportError('CONNECTION_CLOSED', 'the stream ended over there');
}
