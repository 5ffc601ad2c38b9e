import { RemoteError, TransportError } from '../../errors.ts';
import { proxyRefusal } from '../proxy-refusal.ts';
import { basicAuthorization } from '../proxy-server.ts';
import type { Answer } from './answers.ts';
import type { RequestProxy } from './client-options.ts';

/** What the asking half of the tunnel writes, and how it judges what comes back. Pure. */

const CONTENT_TYPE = 'application/x-fcs';

/** Answers that a proxy on the way gives when it could not reach the tunnel this time: worth the same request again. */
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Head and body in one piece, spelled as the strictest servers want it (crtmpserver: `Keep-Alive`, literally). */
export function formatPost(path: string, host: string, body: Buffer, proxy?: RequestProxy): Buffer {
  const authorization = proxy && basicAuthorization(proxy.server);
  const head = [
    `POST ${proxy?.origin ?? ''}${path} HTTP/1.1`,
    `Host: ${host}`,
    'Accept: */*',
    'User-Agent: rtmp-gateway',
    'Connection: Keep-Alive',
    'Cache-Control: no-cache',
    `Content-Type: ${CONTENT_TYPE}`,
    `Content-Length: ${body.length}`,
    ...(authorization === undefined ? [] : [`Proxy-Authorization: ${authorization}`]),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Session ids differ by server; all are URL-safe and, since FFmpeg takes no more, at most 62 characters long. */
export function readSessionId(answer: Answer, proxy?: RequestProxy): string {
  if (answer.status !== 200) throw refusal(answer, 'the server', proxy);
  const id = /^([A-Za-z0-9_.~-]{1,62})\s*$/.exec(answer.body.toString('latin1'))?.[1];
  if (id === undefined || answer.contentType === 'text/html') throw notATunnel();
  return id;
}

/** Web pages and gateway errors without the tunnel's type come from something between us and the tunnel. */
export function isFromProxy(answer: Answer): boolean {
  if (answer.contentType === CONTENT_TYPE) return false;
  return TRANSIENT_STATUS.has(answer.status) || (answer.status === 200 && answer.contentType === 'text/html');
}

/** `proxy`: one that may have answered in the tunnel's place. */
export function refusal(answer: Answer, who: string, proxy?: RequestProxy): RemoteError | TransportError {
  if (proxy !== undefined && answer.status !== 404 && answer.contentType !== CONTENT_TYPE) {
    return proxyRefusal(proxy.server, { ...answer, detail: '' });
  }
  const said = `${answer.status} ${answer.reason}`.trim();
  if (answer.status === 404)
    return new RemoteError('TUNNEL_NOT_FOUND', `${who} knows no RTMP tunnel at this address (${said})`);
  if (answer.status === 503)
    return new RemoteError(
      'TUNNEL_BUSY',
      `${who} takes no session now: too busy, stopping, or its RTMP server is away (${said})`,
    );
  return new RemoteError('TUNNEL_REFUSED', `${who} refused the request (${said})`);
}

export function notATunnel(cause?: Error): TransportError {
  const why = cause ? `: ${cause.message}` : '';
  return new TransportError('TUNNEL_BAD_ANSWER', `what answers there is not an RTMP tunnel${why}`, { cause });
}
