import type { ProxyServer } from '../proxy-server.ts';
import { ANSWER_DEFAULTS } from './answers.ts';

/** An HTTP proxy to which requests are written as a whole URL (RFC 9112, section 3.2.2). */
export interface RequestProxy {
  readonly server: ProxyServer;
  /** `http://HOST:PORT` of the tunnel, before each path. */
  readonly origin: string;
}

export interface TunnelClientOptions {
  /** What the `Host` header says: a name or address, with the port where it is not the scheme's own. */
  readonly host: string;
  /** Whom requests are written to in the server's place, if anybody. */
  readonly proxy?: RequestProxy | undefined;
  readonly requestsInFlight: 1 | 2;
  readonly maxSendBytes: number;
  readonly maxUnreadBytes: number;
  readonly maxAnswerBytes: number;
  readonly quietMs: number;
  readonly keepAliveMs: number;
  readonly idleTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly giveUpMs: number;
  readonly farewellMs: number;
}

export const TUNNEL_CLIENT_DEFAULTS: Omit<TunnelClientOptions, 'host'> = Object.freeze({
  // One: every server can do it (rtmptd answers a second one with 500). Two travel on two connections, as Flash's do.
  requestsInFlight: 1,
  // What proxies and body limits in front of a tunnel take without a question; also the bound of what waits unsent.
  maxSendBytes: 64 * 1024,
  // Four full answers of our own server: beyond it even sends wait, since each of their answers may bring more.
  maxUnreadBytes: 4 * 1024 * 1024,
  maxAnswerBytes: ANSWER_DEFAULTS.maxBodyBytes,
  // FFmpeg's own pause; longer than a frame of audio or video, so a publisher's frames find no held idle before them.
  quietMs: 50,
  // A third of the silence after which our server ends a session (30 s).
  keepAliveMs: 10_000,
  // Above the longest hold anybody configures (4 s).
  idleTimeoutMs: 10_000,
  // librtmp's own time-out. Longer than for an idle: a send's answer waits for a server that cannot take more bytes.
  sendTimeoutMs: 30_000,
  // A server remembers a session for 30 s, but a gap before other requests only for 5 s; a live stream is over by then.
  giveUpMs: 10_000,
  // A courtesy: without it the server finds out by itself, later.
  farewellMs: 1000,
});
