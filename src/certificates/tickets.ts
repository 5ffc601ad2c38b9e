import { hkdfSync } from 'node:crypto';

export interface TicketOptions {
  /** The same for every gateway of a group: each can then go on with the others' sessions. Absent: one of our own. */
  readonly secret?: string;
  /** How long keys are used. */
  readonly rotationMs: number;
}

export const TICKET_DEFAULTS: TicketOptions = Object.freeze({
  // A stolen key opens what was recorded under it: RFC 5077, 5.5 advises a day at most; nginx's and HAProxy's guides
  // rotate two or three times in that time.
  rotationMs: 12 * 3_600_000,
});

/** What `tls.Server.setTicketKeys` wants: a name, an HMAC key and an AES key. */
const KEY_BYTES = 48;

/**
 * The keys that TLS session tickets are sealed with. They follow from the secret and the time alone, so that gateways
 * which share the secret change keys together without a word, and nothing has to be stored.
 *
 * Node knows one set of keys at a time: a client whose ticket is from before a change makes one full handshake.
 */
export class TicketKeys {
  readonly #secret: string | Uint8Array;
  readonly #rotationMs: number;

  constructor(secret: string | Uint8Array, rotationMs: number) {
    this.#secret = secret;
    this.#rotationMs = rotationMs;
  }

  /** The 48 bytes for a time (`Date.now()`) and a realm: tickets of one realm mean nothing in another. */
  keys(realm: string, time: number): Buffer {
    const info = `rtmp-gateway session tickets ${this.#period(time)} ${realm}`;
    return Buffer.from(hkdfSync('sha256', this.#secret, '', info, KEY_BYTES));
  }

  /** Until then the keys stay what they are. */
  changesAt(time: number): number {
    return (this.#period(time) + 1) * this.#rotationMs;
  }

  #period(time: number): number {
    return Math.floor(time / this.#rotationMs);
  }
}
