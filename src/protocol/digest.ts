import { createHmac, timingSafeEqual } from 'node:crypto';

/*
 * The signed handshake that Flash Player 9 brought. Not in Adobe's text; worked out in public by rtmpdump and others, and
 * the same in FFmpeg, SRS, nginx-rtmp and Red5. A C1 or S1 is 4 bytes of time, 4 of version and two blocks of 764:
 *
 *     digest block:  sum (4) │ 760 bytes, the digest (32) somewhere in them
 *     key block:     760 bytes, the RTMPE key somewhere in them │ sum (4)
 *
 * Which block comes first differs between clients, so a layout is called by the place of the digest's sum bytes.
 */

/** Bytes of C1, S1, C2 and S2. */
export const PACKET_BYTES = 1536;
/** Bytes of an HMAC-SHA-256. */
export const DIGEST_BYTES = 32;

/** Where the four bytes stand whose sum places the digest: key block first (772), or digest block first (8). */
export type DigestLayout = 772 | 8;

/** In the order in which FFmpeg, SRS and Node-Media-Server try them. */
const LAYOUTS: readonly DigestLayout[] = [772, 8];

/** Places that a digest can take in its block: 764 less the sum bytes and the digest itself. */
const DIGEST_PLACES = 764 - 4 - DIGEST_BYTES;

const TAIL = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');

function signingKey(name: string): { readonly short: Buffer; readonly full: Buffer } {
  const short = Buffer.from(name, 'ascii');
  return { short, full: Buffer.concat([short, TAIL]) };
}

/** The short key makes digests, the full one signatures. Known to everybody: they prove fluency, not identity. */
export const PLAYER_KEY = signingKey('Genuine Adobe Flash Player 001');
export const SERVER_KEY = signingKey('Genuine Adobe Flash Media Server 001');

/** Where the digest of this packet begins. */
export function digestOffset(packet: Buffer, layout: DigestLayout): number {
  let sum = 0;
  for (let i = layout; i < layout + 4; i++) sum += packet[i]!;
  return layout + 4 + (sum % DIGEST_PLACES);
}

/** The digest that a C1 or S1 carries, and its layout; undefined if it carries none. Compares in constant time. */
export function findDigest(packet: Buffer, shortKey: Buffer): { layout: DigestLayout; digest: Buffer } | undefined {
  for (const layout of LAYOUTS) {
    const offset = digestOffset(packet, layout);
    const digest = packet.subarray(offset, offset + DIGEST_BYTES);
    if (timingSafeEqual(digest, computeDigest(packet, offset, shortKey)))
      return { layout, digest: Buffer.from(digest) };
  }
  return undefined;
}

/** Writes the digest into a C1 or S1 whose other bytes are final, and returns it. */
export function writeDigest(packet: Buffer, layout: DigestLayout, shortKey: Buffer): Buffer {
  const offset = digestOffset(packet, layout);
  const digest = computeDigest(packet, offset, shortKey);
  digest.copy(packet, offset);
  return digest;
}

/** A C2 or S2: 1504 random bytes, signed so that it shows that the peer's digest was read. */
export function signedReply(fill: Buffer, peerDigest: Buffer, fullKey: Buffer): Buffer {
  return Buffer.concat([fill, hmac(hmac(fullKey, peerDigest), fill)]);
}

function computeDigest(packet: Buffer, offset: number, key: Buffer): Buffer {
  const rest = packet.subarray(offset + DIGEST_BYTES, PACKET_BYTES);
  return createHmac('sha256', key).update(packet.subarray(0, offset)).update(rest).digest();
}

function hmac(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest();
}
