/** Limits and times of the serving half of RTMPT. All times in milliseconds. */
export interface TunnelOptions {
  /** A session that nobody polls is ended; so is an id that was never used. */
  readonly idleTimeoutMs: number;
  /** How long an empty idle may wait for data (0 to 4000). 0 answers at once and slows clients by the interval byte. */
  readonly holdMs: number;
  /** What `/fcs/ident2` answers. */
  readonly ident2: 404 | 200;
  /** Sessions at once, by everybody together. */
  readonly maxSessions: number;
  /** Body of one POST. It is streamed on as it arrives and never gathered. */
  readonly maxBodyBytes: number;
  /** Put in front of every id, so that a balancer can tell nodes apart: 0 to 9 letters and digits. */
  readonly nodeTag: string;
  /** Output waiting in one session before its core must wait; also the most that one answer carries. */
  readonly maxOutputBytes: number;
  /** How far ahead of the next number a request may be. */
  readonly maxAhead: number;
  /** Bodies of one session that wait for an earlier number. */
  readonly maxParkedBytes: number;
  /** Answers kept for a repeated number, per session: numbers back, and bytes. */
  readonly maxRemembered: number;
  readonly maxRememberedBytes: number;
  /** What parked, waiting and remembered bytes of all sessions together may take. */
  readonly maxMemoryBytes: number;
  /** A send that completes C0C1 waits so long for the whole S0S1S2. */
  readonly handshakeHoldMs: number;
  /** How long an idle of a client that is publishing may wait: its next frame waits behind it. */
  readonly publisherHoldMs: number;
  /** A missing number is skipped after this time if only idles wait for it. */
  readonly skipAfterMs: number;
  /** A missing number that a send waits for, or whose body broke off, ends the session after this time. */
  readonly gapTimeoutMs: number;
  /** How long answers stay bare while it is not known whether the kernel took the last payload. */
  readonly unsureMs: number;
  /** After `/close` the core may read on for this time. */
  readonly closeTimeoutMs: number;
  /** After the core ended a session, repeats of its last answers are served for this time. */
  readonly afterlifeMs: number;
  /** Request line and headers together. */
  readonly maxHeadBytes: number;
  /** Time for the whole head of a request, and between two pieces of its body. */
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** How long a connection may rest between two requests, at least (`restMs`). */
  readonly keepAliveMs: number;
  /** After a refusal the connection is read on for this time, so that no reset overtakes the answer. */
  readonly lingerMs: number;
  /** Separate runs of owed answers on one connection before it is no longer read. */
  readonly maxRuns: number;
}

export const TUNNEL_DEFAULTS: TunnelOptions = Object.freeze({
  // Red5 reaps after 60 s, nginx-rtmpt-proxy after 5: players often vanish without /close (flowplayer/flash#137).
  idleTimeoutMs: 30_000,
  // FMS `IdleAckInterval`. Beyond 5 s RootEncoder's read time-out strikes.
  holdMs: 500,
  // FMS, Red5; Shumway takes anything else for an exception.
  ident2: 404,
  // About half of the descriptors that `ulimit -n 20000` leaves.
  maxSessions: 10_000,
  // librtmp puts one whole message into a POST: up to 16 MiB and 1/128 of chunk headers.
  maxBodyBytes: 17 * 1024 * 1024,
  nodeTag: '',
  // 4 s of 2 Mbit/s. FFmpeg starves when answers are capped in the kilobytes (measured); Red5 sends 32 KiB.
  maxOutputBytes: 1024 * 1024,
  // BOSH-like window; node-rtsp-rtmp-server keeps 10, nginx-rtmpt-proxy 4.
  maxAhead: 16,
  // Flash posts in parallel on two connections: a few key frames.
  maxParkedBytes: 4 * 1024 * 1024,
  // As far back as numbers may be ahead.
  maxRemembered: 16,
  maxRememberedBytes: 1024 * 1024,
  // 10,000 sessions at their own limits would be 60 GB.
  maxMemoryBytes: 512 * 1024 * 1024,
  // red5-client and RootEncoder want S0S1S2 in one answer; 2 s is less than any client's read time-out.
  handshakeHoldMs: 2_000,
  // A third of a frame's time at 30 fps; also what our timer can tell apart.
  publisherHoldMs: 10,
  // FFmpeg burns a number when its connection dies, then goes on with an idle.
  skipAfterMs: 2_000,
  // nginx-rtmpt-proxy and rtmptd give up after 5 s, too.
  gapTimeoutMs: 5_000,
  unsureMs: 500,
  // Red5 sleeps 256 ms at this point to let data drain.
  closeTimeoutMs: 1_000,
  // A client that repeats a POST does so at once; this leaves time for a new TCP connection.
  afterlifeMs: 2_000,
  // Node's own limit, nginx's 4 x 8 KiB.
  maxHeadBytes: 16 * 1024,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 10_000,
  // AWS closes idle connections after 60 s, nginx after 60 to 75: whoever closes first must not be the one whose peer is
  // just about to send a request, and with 75 s of our own it would be chance.
  keepAliveMs: 90_000,
  // lighttpd lingers 5 s, nginx up to 30; the answer is one packet.
  lingerMs: 2_000,
  maxRuns: 64,
});

/** How long a connection may rest between two requests: longer than any session would live without one. */
export function restMs({ keepAliveMs, idleTimeoutMs }: Pick<TunnelOptions, 'keepAliveMs' | 'idleTimeoutMs'>): number {
  return Math.max(keepAliveMs, idleTimeoutMs + 5_000);
}
