import { ProtocolError, UsageError } from '../errors.ts';
import { DIGEST_BYTES, PACKET_BYTES, PLAYER_KEY, SERVER_KEY, findDigest, signedReply, writeDigest } from './digest.ts';

export interface HandshakeOptions {
  readonly random: (bytes: number) => Buffer;
  /** Client only: offer the digest form, which some servers want before they serve H.264. Default: the simple form. */
  readonly signed?: boolean;
}

/** The only version there is (RTMP 1.0, 5.2.2). */
const VERSION = 3;
/** RTMP with home-made encryption: plain, XTEA and Blowfish variants. */
const RTMPE_VERSIONS: readonly number[] = [6, 8, 9];

/** What our S1 claims when signed. Below 3, as with SRS and Node-Media-Server: FFmpeg asks more of those above. */
const SERVER_CLAIM = Buffer.from([1, 0, 5, 4]);
/** What our C1 claims when signed: Flash Player 9.0.124.2, FFmpeg's choice. Zero would say "not signed". */
const CLIENT_CLAIM = Buffer.from([9, 0, 124, 2]);

/**
 * The RTMP handshake for either role (RTMP 1.0, 5.2), simple or signed:
 *
 *     client   C0 (1) C1 (1536) ────────────▶
 *              ◀──────────── S0 (1) S1 (1536) S2 (1536)   server
 *              C2 (1536) ───────────────────▶
 *
 * Nobody is held to what C2 or S2 contain: many put junk there. Time-outs are the caller's.
 */
export class Handshake {
  readonly #role: 'server' | 'client';
  readonly #random: (bytes: number) => Buffer;
  readonly #signed: boolean;
  /** Version byte and C1 or S1 as they come in; C2 and S2 are only counted. */
  readonly #hello = Buffer.allocUnsafe(1 + PACKET_BYTES);
  #helloBytes = 0;
  #replyBytes = 0;
  #output: Buffer[] = [];
  #phase: 'hello' | 'reply' | 'done' = 'hello';

  constructor(role: 'server' | 'client', options: HandshakeOptions) {
    this.#role = role;
    this.#random = options.random;
    this.#signed = options.signed ?? false;
    if (role === 'client') this.#output.push(this.#clientHello());
  }

  /**
   * Takes bytes at any cut. Returns undefined while more are needed; once the peer's last byte is in, the bytes behind
   * it (a view of `bytes`, maybe empty), after which it must not be called again. Throws `ProtocolError` at the first
   * byte already: HANDSHAKE_RTMPE or HANDSHAKE_VERSION.
   */
  receive(bytes: Buffer, now: number): Buffer | undefined {
    if (this.#phase === 'done') throw new UsageError('HANDSHAKE_DONE', 'bytes for a handshake that is over');
    let rest = bytes;
    if (this.#phase === 'hello') {
      rest = this.#takeHello(rest);
      if (this.#helloBytes < this.#hello.length) return undefined;
      this.#answer(this.#hello.subarray(1), now);
      this.#phase = 'reply';
    }
    rest = this.#skipReply(rest);
    if (this.#replyBytes < PACKET_BYTES) return undefined;
    this.#phase = 'done';
    return rest;
  }

  /** Bytes to send, in order. The server's are one Buffer, so that they leave in one segment or tunnel answer. */
  takeOutput(): Buffer[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  #takeHello(bytes: Buffer): Buffer {
    if (this.#helloBytes === 0 && bytes.length > 0) checkVersion(bytes[0]!);
    const taken = bytes.copy(this.#hello, this.#helloBytes, 0);
    this.#helloBytes += taken;
    return bytes.subarray(taken);
  }

  #skipReply(bytes: Buffer): Buffer {
    const taken = Math.min(bytes.length, PACKET_BYTES - this.#replyBytes);
    this.#replyBytes += taken;
    return bytes.subarray(taken);
  }

  #answer(packet: Buffer, now: number): void {
    if (this.#role === 'client') this.#output.push(this.#clientReply(packet));
    else this.#output.push(this.#serverAnswer(packet, now));
  }

  #serverAnswer(c1: Buffer, now: number): Buffer {
    const found = claimsVersion(c1) ? findDigest(c1, PLAYER_KEY.short) : undefined;
    if (found === undefined) {
      // The version stays zero: FFmpeg as a player would otherwise look for a digest here and give up.
      return Buffer.concat([Buffer.from([VERSION]), this.#packet(now, undefined), c1]);
    }
    const s1 = this.#packet(now, SERVER_CLAIM);
    writeDigest(s1, found.layout, SERVER_KEY.short);
    const s2 = signedReply(this.#random(PACKET_BYTES - DIGEST_BYTES), found.digest, SERVER_KEY.full);
    return Buffer.concat([Buffer.from([VERSION]), s1, s2]);
  }

  #clientHello(): Buffer {
    const c1 = this.#packet(0, this.#signed ? CLIENT_CLAIM : undefined);
    if (this.#signed) writeDigest(c1, 8, PLAYER_KEY.short);
    return Buffer.concat([Buffer.from([VERSION]), c1]);
  }

  #clientReply(s1: Buffer): Buffer {
    const found = this.#signed && claimsVersion(s1) ? findDigest(s1, SERVER_KEY.short) : undefined;
    if (found === undefined) return Buffer.from(s1);
    return signedReply(this.#random(PACKET_BYTES - DIGEST_BYTES), found.digest, PLAYER_KEY.full);
  }

  /** A C1 or S1: time, claimed version or zero, and a random fill. */
  #packet(now: number, claim: Buffer | undefined): Buffer {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(Math.trunc(now) >>> 0, 0);
    claim?.copy(head, 4);
    return Buffer.concat([head, this.#random(PACKET_BYTES - head.length)]);
  }
}

/** Bytes 4 to 7 are zero in the simple form; anything else says that a digest may be inside. */
function claimsVersion(packet: Buffer): boolean {
  return packet.readUInt32BE(4) !== 0;
}

function checkVersion(version: number): void {
  if (version === VERSION) return;
  if (RTMPE_VERSIONS.includes(version)) {
    throw new ProtocolError('HANDSHAKE_RTMPE', `RTMPE (version ${version}) is not supported; RTMPS encrypts better`);
  }
  throw new ProtocolError('HANDSHAKE_VERSION', `RTMP version ${version} is not supported${hint(version)}`);
}

function hint(version: number): string {
  if (version === 0x16) return ': this looks like TLS on a plain RTMP port';
  return /[A-Za-z]/.test(String.fromCharCode(version)) ? ': this looks like HTTP on an RTMP port' : '';
}
