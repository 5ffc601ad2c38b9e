import type { Duplex } from 'node:stream';
import { GatewayError, TransportError } from '../errors.ts';
import type { Log } from '../log.ts';
import { peerFields, type Handler, type Peer } from './link.ts';
import { Pipe, type Gathering } from './pipe.ts';

/** A way out that may tell the far side who comes (`Dial` is one that does not). */
export type PeerDial = (signal: AbortSignal, peer?: Peer) => Promise<Duplex>;

/** Times of a bridged session, in milliseconds. */
export interface CrossingOptions {
  /** A side that is owed bytes and neither takes nor says anything for so long is gone. */
  readonly drainTimeoutMs: number;
  /** Nothing from anybody. */
  readonly idleTimeoutMs: number;
  /** The same once one side has ended. */
  readonly halfClosedTimeoutMs: number;
  /** From the connection to the upstream to its first byte. */
  readonly firstWordTimeoutMs: number;
  /** How long one side may stay when the other is gone and everything is said. */
  readonly lingerMs: number;
}

/** What a crossing needs of its bridge. */
export interface CrossingHost {
  readonly options: CrossingOptions;
  readonly dial: PeerDial;
  /** Takes clients that cannot be brought anywhere, with everything they have said still in the stream. */
  readonly whenDown: Handler;
  /** What is read in one turn is written at its end. */
  readonly thisTurn: Gathering;
  /** A little later: so that a message that came in several segments leaves in one answer of the tunnel. */
  readonly shortly: Gathering;
  now(): number;
  /** Somebody could not be brought to an upstream. */
  refused(peer: Peer, fault: Error): void;
  /** Nothing of it is left here. */
  over(crossing: Crossing): void;
}

/** One end of a crossing, as the sweep looks at it. */
interface Side {
  readonly stream: Duplex;
  /** Grows whenever it says or takes something. */
  progress: number;
  movedAt: number;
  /** When everything that it was owed had left. */
  finishedAt: number | undefined;
}

/**
 * One bridged session. It waits for the client's first byte, dials, and only then reads on.
 *
 * Phases: silent -> dialling -> open -> (one side gone) -> over; from any of them by `end` or `destroy`.
 *
 * Both directions end by `end()`: whatever was said before still arrives. `stream.pipeline` would destroy the client's
 * stream with the upstream's, and with it what the server said last (measured).
 */
export class Crossing {
  readonly #client: Duplex;
  readonly #peer: Peer;
  readonly #host: CrossingHost;
  readonly #log: Log;
  readonly #abort = new AbortController();
  #phase: 'silent' | 'dialling' | 'open' | 'over' = 'silent';
  #sides: readonly Side[] = [];
  #up: Pipe | undefined;
  #down: Pipe | undefined;
  #openedAt = 0;
  /** When one side was gone, or both were asked to go. */
  #leavingAt: number | undefined;
  #fault: Error | undefined;
  readonly #onReadable = () => this.#listen();
  readonly #onSilentEnd = () => void this.#client.end();
  readonly #onClientClose = () => this.#clientClosed();

  constructor(client: Duplex, peer: Peer, host: CrossingHost, log: Log) {
    this.#client = client;
    this.#peer = peer;
    this.#host = host;
    this.#log = log.child(peerFields(peer));
    client.on('error', (fault) => (this.#fault ??= fault));
    client.on('readable', this.#onReadable);
    client.on('end', this.#onSilentEnd);
    client.on('close', this.#onClientClose);
  }

  /** Ends both sides politely. */
  end(): void {
    if (this.#phase === 'over') return;
    this.#leavingAt ??= this.#host.now();
    this.#abort.abort(stopping());
    if (this.#phase !== 'open') {
      this.#stopListening();
      this.#sides = [sideOf(this.#client, this.#leavingAt)];
      this.#client.resume().end();
    }
    this.#up?.finish();
    this.#down?.finish();
  }

  /** Ends both sides at once. */
  destroy(fault?: Error): void {
    this.#fault ??= fault;
    this.#abort.abort(stopping());
    this.#client.destroy(fault);
    for (const { stream } of this.#sides) stream.destroy();
  }

  /** Looks for sides that are gone without a word; to be called about once a second. */
  sweep(now: number): void {
    for (const side of this.#sides) this.#notice(side, now);
    if (this.#leavingAt !== undefined) return this.#seeOff(now);
    const fault = this.#phase === 'open' ? this.#whatIsWrong(now) : undefined;
    if (fault !== undefined) this.destroy(fault);
  }

  // Before there is an upstream -------------------------------------------------------------------------------------

  #listen(): void {
    // A stream's end is told only to those who read.
    if (this.#client.readableLength === 0) return void this.#client.read();
    this.#stopListening();
    if (this.#leavingAt !== undefined) return;
    this.#phase = 'dialling';
    void this.#dial();
  }

  #stopListening(): void {
    this.#client.off('readable', this.#onReadable);
    this.#client.off('end', this.#onSilentEnd);
  }

  async #dial(): Promise<void> {
    try {
      const upstream = await this.#host.dial(this.#abort.signal, this.#peer);
      upstream.on('error', (fault) => (this.#fault ??= fault));
      if (this.#abort.signal.aborted) upstream.destroy();
      else this.#join(upstream);
    } catch (fault) {
      if (!this.#abort.signal.aborted) this.#refuse(fault as Error);
    }
  }

  /**
   * A tunnel answers its first request with 503 and the next with 404, which ends FFmpeg and librtmp at once; whoever
   * speaks plain RTMP is told in RTMP.
   */
  #refuse(fault: Error): void {
    const { scheme } = this.#peer;
    this.#host.refused(this.#peer, fault);
    if (scheme === 'rtmpt' || scheme === 'rtmpts') return void this.#client.destroy(asTransportError(fault));
    this.#leave();
    this.#client.off('close', this.#onClientClose);
    this.#host.whenDown(this.#client, this.#peer);
  }

  #clientClosed(): void {
    this.#abort.abort(new TransportError('CONNECTION_CLOSED', 'the client left before its upstream was reached'));
    if (this.#phase !== 'open') return this.#leave();
    this.#sideClosed();
  }

  #leave(): void {
    this.#phase = 'over';
    this.#host.over(this);
  }

  // With an upstream ------------------------------------------------------------------------------------------------

  #join(upstream: Duplex): void {
    const { thisTurn, shortly, now } = this.#host;
    const isTunnel = this.#peer.scheme === 'rtmpt' || this.#peer.scheme === 'rtmpts';
    this.#phase = 'open';
    this.#openedAt = now();
    this.#sides = [this.#client, upstream].map((stream) => sideOf(stream, this.#openedAt));
    upstream.on('close', () => this.#sideClosed());
    const up = new Pipe(this.#client, upstream, { gathering: thisTurn, mayHurry: () => false });
    // Whoever has heard more than it said is a player: nothing but acknowledgements of its could be lost.
    const mayHurry = (): boolean => !isTunnel && up.bytes < down.bytes;
    const down = new Pipe(upstream, this.#client, { gathering: isTunnel ? shortly : thisTurn, mayHurry });
    this.#up = up;
    this.#down = down;
  }

  #sideClosed(): void {
    this.#leavingAt ??= this.#host.now();
    if (this.#sides.some(({ stream }) => !stream.closed)) return;
    this.#logEnd();
    this.#leave();
  }

  #notice(side: Side, now: number): void {
    if (side.stream.writableFinished) side.finishedAt ??= now;
    const progress = this.#progressOf(side);
    if (progress === side.progress) return;
    side.progress = progress;
    side.movedAt = now;
  }

  #progressOf({ stream }: Side): number {
    const [said, given] = stream === this.#client ? [this.#up, this.#down] : [this.#down, this.#up];
    // Whom it speaks to is gone: only what it takes counts from then on.
    const heard = this.#leavingAt === undefined ? (said?.bytes ?? 0) : 0;
    return heard + (given?.taken ?? 0);
  }

  /** One side is gone: the other may take what was said last, and then has a moment to end as well. */
  #seeOff(now: number): void {
    const { lingerMs, drainTimeoutMs } = this.#host.options;
    for (const { stream, movedAt, finishedAt } of this.#sides) {
      const until = finishedAt === undefined ? movedAt + drainTimeoutMs : finishedAt + lingerMs;
      if (!stream.closed && now >= until) stream.destroy();
    }
  }

  #whatIsWrong(now: number): Error | undefined {
    const { options } = this.#host;
    const stalled = this.#sides.find(
      ({ stream, movedAt }) => stream.writableLength > 0 && now >= movedAt + options.drainTimeoutMs,
    );
    if (stalled !== undefined) return stall(stalled.stream === this.#client, options.drainTimeoutMs);
    if (this.#down?.bytes === 0 && now >= this.#openedAt + options.firstWordTimeoutMs) return silent(options);
    const movedAt = Math.max(...this.#sides.map((side) => side.movedAt));
    const isHalf = this.#sides.some(({ stream }) => stream.readableEnded);
    const patience = isHalf ? options.halfClosedTimeoutMs : options.idleTimeoutMs;
    return now >= movedAt + patience ? idle(patience) : undefined;
  }

  #logEnd(): void {
    const fields = { bytesIn: this.#up?.bytes ?? 0, bytesOut: this.#down?.bytes ?? 0 };
    if (this.#fault === undefined) return this.#log.info(fields, 'bridge ended');
    const { code } = this.#fault as NodeJS.ErrnoException;
    this.#log.info({ ...fields, ...(code !== undefined && { code }) }, `bridge ended: ${this.#fault.message}`);
  }
}

function sideOf(stream: Duplex, now: number): Side {
  return { stream, progress: 0, movedAt: now, finishedAt: undefined };
}

function asTransportError(fault: Error): TransportError {
  if (fault instanceof TransportError) return fault;
  const why = fault instanceof GatewayError ? fault.message : 'the way out failed';
  return new TransportError('UPSTREAM_UNREACHABLE', why, { cause: fault });
}

function stopping(): TransportError {
  return new TransportError('CONNECTION_CLOSED', 'the bridge is ending');
}

function stall(isClient: boolean, timeoutMs: number): TransportError {
  if (!isClient)
    return new TransportError(
      'UPSTREAM_STALLED',
      `the upstream took nothing and said nothing for ${timeoutMs / 1000} s`,
    );
  return new TransportError('PEER_STALLED', `the client took nothing and said nothing for ${timeoutMs / 1000} s`);
}

function silent({ firstWordTimeoutMs }: CrossingOptions): TransportError {
  return new TransportError('UPSTREAM_SILENT', `the upstream said nothing within ${firstWordTimeoutMs / 1000} s`);
}

function idle(timeoutMs: number): TransportError {
  return new TransportError('IDLE_TIMEOUT', `nobody said anything for ${timeoutMs / 1000} s`);
}
