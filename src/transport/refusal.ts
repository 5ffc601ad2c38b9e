import type { Duplex } from 'node:stream';

/** Answers an HTTP client may get from the door itself, before any HTTP server has seen it. */
export const HTTP_REFUSALS = Object.freeze({
  // librtmp asks again without a pause when a tunnel's connection closes without an answer; it stops at a 503.
  overLimit: 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n',
  notHere: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
});

/**
 * Writes an answer, ends our side and throws away what still comes, because closing at once would send a reset that
 * can overtake the answer (RFC 9112, 9.6). The caller destroys the stream if the client does not close in time.
 */
export function refuseHttp(stream: Duplex, answer: string): void {
  stream.end(answer);
  stream.resume();
}
