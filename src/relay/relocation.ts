import { TransportError } from '../errors.ts';
import type { Log } from '../log.ts';
import { Moves } from './moves.ts';
import type { PushLine } from './push-line.ts';
import type { Target } from './target.ts';

/** How long a new connection waits for a keyframe to begin with; streams of sound have none. */
export const KEYFRAME_WAIT_MS = 10_000;

export interface RelocationDependencies {
  readonly open: (target: Target, signal: AbortSignal) => Promise<PushLine>;
  /** A text of a server's, fit to be shown. */
  readonly hide: (text: string) => string;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * How a push follows servers that send it elsewhere (Enhanced RTMP v2, "Reconnect request"): the connection to the other place
 * is made while the old one serves, and is ready when it may publish there. One at a time.
 */
export class Relocation {
  readonly #deps: RelocationDependencies;
  readonly #moves = new Moves();
  #place: Target | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #ready: { readonly line: PushLine; readonly since: number } | undefined = undefined;
  /** Why we did not go where the present server wants us: said once for each server. */
  #toldToStay: string | undefined = undefined;

  constructor(deps: RelocationDependencies) {
    this.#deps = deps;
  }

  /** Where we are on the way to, or could go on at once. */
  get place(): Target | undefined {
    return this.#place;
  }

  /** The connection at the new place, which may be used from the next keyframe on. */
  get ready(): PushLine | undefined {
    return this.#ready?.line;
  }

  /** A keyframe has been waited for long enough. */
  isOverdue(now: number): boolean {
    return this.#ready !== undefined && now - this.#ready.since >= KEYFRAME_WAIT_MS;
  }

  /** The server of `line`, which is the one in use, wants us elsewhere. */
  ask({ target }: PushLine, tcUrl: string | undefined): void {
    if (this.#place !== undefined) return;
    const place = this.#moves.next(target, tcUrl, this.#deps.now());
    if (typeof place !== 'string') return void this.#follow(target, place);
    if (place === this.#toldToStay) return;
    this.#toldToStay = place;
    this.#deps.log.warn({ server: target.shown }, `the server wants to send us elsewhere, but ${place}: staying`);
  }

  /** Another connection is used from now on, this one or one that was made anew. */
  done(): void {
    this.#abort = undefined;
    this.#place = undefined;
    this.#ready = undefined;
    this.#toldToStay = undefined;
  }

  /** Whatever is on its way is given up. */
  cancel(): void {
    this.#abort?.abort(unwanted());
    this.#ready?.line.fail(unwanted());
    this.#place = undefined;
    this.#ready = undefined;
  }

  /** Only when the new place lets us publish do we leave the old one, which serves us until then. */
  async #follow(from: Target, place: Target): Promise<void> {
    const { open, hide, log, now } = this.#deps;
    const { signal } = (this.#abort = new AbortController());
    this.#place = place;
    log.info({ server: from.shown, to: place.shown }, 'the server sends us elsewhere');
    try {
      const line = await open(place, signal);
      if (signal.aborted) return line.fail(unwanted());
      this.#ready = { line, since: now() };
      const fault = await line.ended();
      if (this.#ready?.line !== line) return;
      this.#ready = undefined;
      throw fault;
    } catch (error) {
      if (signal.aborted) return;
      this.#place = undefined;
      const why = hide(error instanceof Error ? error.message : String(error));
      log.warn({ server: from.shown, to: place.shown }, `could not follow: ${why}; staying as long as we may`);
    }
  }
}

/** What ends a connection that nobody needs any more. */
export function unwanted(): TransportError {
  return new TransportError('CONNECTION_CLOSED', 'no longer wanted');
}
