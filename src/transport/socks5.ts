import { RemoteError, TransportError } from '../errors.ts';
import { addressBytes } from './address.ts';
import type { Credentials } from './credentials.ts';
import type { Negotiation } from './negotiation.ts';
import type { ProxyServer } from './proxy-server.ts';
import type { Target } from './tcp.ts';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** RFC 1928, section 6. Whether somebody decided so (and will again), or it went wrong this time. */
const REPLIES: Readonly<Record<number, readonly [kind: 'refused' | 'failed', words: string]>> = {
  1: ['failed', 'failed without saying why'],
  2: ['refused', 'does not allow connections to this server'],
  3: ['failed', 'cannot reach the network of the server'],
  4: ['failed', 'cannot reach the server, or knows no such name'],
  5: ['failed', 'was refused a connection by the server'],
  6: ['failed', 'gave up on the server: too many steps on the way'],
  7: ['refused', 'makes no connections for others'],
  8: ['refused', 'takes no addresses of this kind: try socks5 in the place of socks5h, or the reverse'],
};

type Step = 'method' | 'password' | 'connect';

/**
 * Asks a SOCKS 5 proxy for a connection (RFC 1928), with a user name and password (RFC 1929) if there is one. Names go to the
 * proxy as they are. No answer has more than 262 bytes, and none is kept beyond what its length says. Pure.
 */
export class Socks5 implements Negotiation {
  readonly opening: Buffer;
  readonly #proxy: ProxyServer;
  readonly #target: Target;
  #step: Step = 'method';
  #bytes: Buffer = Buffer.alloc(0);

  constructor(proxy: ProxyServer, target: Target) {
    this.#proxy = proxy;
    this.#target = target;
    const methods = proxy.credentials === undefined ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, USER_AND_PASSWORD];
    this.opening = Buffer.from([VERSION, methods.length, ...methods]);
  }

  receive(bytes: Buffer): Buffer | 'open' | undefined {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const length = this.#answerLength();
    if (length === undefined || this.#bytes.length < length) return undefined;
    const answer = this.#bytes.subarray(0, length);
    // A proxy answers what it was asked; the server behind it waits for our first word.
    if (this.#bytes.length > length) throw this.#bad('said more than it was asked');
    this.#bytes = Buffer.alloc(0);
    return this.#answered(answer);
  }

  /** Undefined: not known yet. Throws for what no SOCKS 5 proxy says. */
  #answerLength(): number | undefined {
    const [version, , , kind, nameLength] = this.#bytes;
    if (version !== undefined && version !== (this.#step === 'password' ? 1 : VERSION))
      throw this.#bad(whatSpeaks(version));
    if (this.#step !== 'connect') return 2;
    if (this.#bytes.length >= 2 && this.#bytes[1] !== 0) return 2;
    if (kind === IPV4) return 10;
    if (kind === IPV6) return 22;
    if (kind === NAME) return nameLength === undefined ? undefined : 7 + nameLength;
    if (kind !== undefined) throw this.#bad('answers with an address of no known kind');
    return undefined;
  }

  #answered(answer: Buffer): Buffer | 'open' {
    const code = answer[1]!;
    if (this.#step === 'connect') {
      if (code !== 0) throw this.#refusal(code);
      return 'open';
    }
    if (this.#step === 'method' && code === USER_AND_PASSWORD && this.#proxy.credentials !== undefined) {
      this.#step = 'password';
      return password(this.#proxy.credentials);
    }
    if (code !== 0) throw this.#authenticationRefused(code);
    this.#step = 'connect';
    return connectRequest(this.#target);
  }

  #authenticationRefused(code: number): RemoteError | TransportError {
    if (this.#step === 'method' && code !== NO_METHOD) return this.#bad('chose a way to log in that was not offered');
    const { shown, credentials } = this.#proxy;
    const words =
      credentials === undefined
        ? 'asks for a user name and a password: write socks5h://USER:PASSWORD@HOST:PORT'
        : this.#step === 'password'
          ? 'refuses the user name or the password'
          : 'takes neither a password nor strangers';
    return new RemoteError('PROXY_AUTHENTICATION', `the proxy ${shown} ${words}`);
  }

  #refusal(code: number): RemoteError | TransportError {
    const [kind, words] = REPLIES[code] ?? ['failed', `failed with code ${code}`];
    const message = `the proxy ${this.#proxy.shown} ${words}`;
    return kind === 'refused' ? new RemoteError('PROXY_REFUSED', message) : new TransportError('PROXY_FAILED', message);
  }

  #bad(what: string): TransportError {
    return new TransportError('PROXY_BAD_ANSWER', `the proxy ${this.#proxy.shown} ${what}`);
  }
}

/** RFC 1929: | 1 | length:8 user | length:8 password |. */
function password({ user, password: secret }: Credentials): Buffer {
  const parts = [user, secret].map((text) => Buffer.from(text, 'utf8'));
  return Buffer.concat([Buffer.of(1), ...parts.flatMap((part) => [Buffer.of(part.length), part])]);
}

/** RFC 1928, section 4: | 5 | CONNECT | 0 | kind:8 | address | port:16 |. */
function connectRequest({ host, port }: Target): Buffer {
  const end = Buffer.alloc(2);
  end.writeUInt16BE(port);
  return Buffer.concat([Buffer.of(VERSION, CONNECT, 0), address(host), end]);
}

function address(host: string): Buffer {
  const bytes = addressBytes(host);
  if (bytes !== undefined) return Buffer.concat([Buffer.of(bytes.length === 4 ? IPV4 : IPV6), bytes]);
  const name = Buffer.from(host, 'latin1');
  // RFC 1035 stops at 253.
  if (name.length > 255) throw new TransportError('CONNECT_FAILED', 'the name of the server is too long');
  return Buffer.concat([Buffer.of(NAME, name.length), name]);
}

function whatSpeaks(first: number): string {
  if (first === 0x48) return 'speaks HTTP and not SOCKS: write http://';
  return first === 0 || first === 4 ? 'speaks SOCKS 4: only SOCKS 5 is spoken here' : 'does not answer as SOCKS 5 does';
}
