import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a request's `Authorization` header brings `token` (RFC 6750, section 2.1). How long it takes tells nothing of it. */
export function bringsToken(authorization: string | undefined, token: string): boolean {
  const [, brought = ''] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(digest(brought), digest(token)) && brought !== '';
}

/** Of equal length, whatever the lengths of what is compared. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Whether a request to a listener on loopback was made out to this machine. A page elsewhere may give its own name our
 * address and then ask us as if we were it (DNS rebinding): its name is in the Host header.
 */
export function isForThisMachine(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}
