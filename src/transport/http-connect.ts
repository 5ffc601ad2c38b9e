import { ProtocolError, TransportError } from '../errors.ts';
import type { Negotiation } from './negotiation.ts';
import { proxyRefusal } from './proxy-refusal.ts';
import { authorityOf, basicAuthorization, type ProxyServer } from './proxy-server.ts';
import { ANSWER_DEFAULTS, findHeadEnd, readHead, type AnswerHead } from './rtmpt/answers.ts';
import type { Target } from './tcp.ts';

/** Heads in all, interim ones (1xx) included. */
const { maxHeadBytes: MAX_BYTES } = ANSWER_DEFAULTS;

const BEGINNING = Buffer.from('HTTP/1.');

/**
 * Asks an HTTP proxy for a tunnel to a host and port: `CONNECT` (RFC 9110, section 9.3.6). The password goes along with the
 * first request: who wrote it down wants it used, and a proxy that has to ask may close the connection with its question.
 * Pure.
 */
export class HttpConnect implements Negotiation {
  readonly opening: Buffer;
  readonly #proxy: ProxyServer;
  readonly #hint: string;
  #bytes: Buffer = Buffer.alloc(0);
  #taken = 0;

  constructor(proxy: ProxyServer, target: Target) {
    this.#proxy = proxy;
    this.#hint = target.port === 443 ? '' : 'many proxies allow CONNECT to port 443 only';
    this.opening = Buffer.from(request(proxy, authorityOf(target)), 'latin1');
  }

  /** Throws what `proxyRefusal` makes of a refusal, or `TransportError` PROXY_BAD_ANSWER. */
  receive(bytes: Buffer): 'open' | undefined {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#taken += bytes.length;
    for (;;) {
      const head = this.#takeHead();
      if (head === undefined) return undefined;
      if (head.status >= 200) return this.#judge(head);
    }
  }

  #judge({ status, reason, fields }: AnswerHead): 'open' {
    if (status < 300) {
      // Everybody whom we go to this way waits for our first word.
      if (this.#bytes.length > 0) throw this.#bad('said more than that the way is open');
      return 'open';
    }
    const of = (name: string): string => fields.get(name) ?? '';
    const detail = of('x-squid-error')
      .replace(/[^A-Z0-9_ ]/gi, '')
      .trim()
      .slice(0, 64);
    const challenges = of('proxy-authenticate');
    throw proxyRefusal(this.#proxy, { status, reason, challenges, detail }, this.#hint);
  }

  #takeHead(): AnswerHead | undefined {
    const begun = Math.min(this.#bytes.length, BEGINNING.length);
    if (this.#bytes.compare(BEGINNING, 0, begun, 0, begun) !== 0) throw this.#bad(whatSpeaks(this.#bytes[0]!));
    const end = findHeadEnd(this.#bytes);
    if (end === undefined && this.#taken <= MAX_BYTES) return undefined;
    if (this.#taken - this.#bytes.length + (end?.length ?? this.#bytes.length) > MAX_BYTES)
      throw this.#bad('answers without an end');
    const text = this.#bytes.toString('latin1', 0, end!.length);
    this.#bytes = this.#bytes.subarray(end!.length + end!.separator);
    return this.#read(text);
  }

  #read(text: string): AnswerHead {
    try {
      return readHead(text);
    } catch (error) {
      if (error instanceof ProtocolError) throw this.#bad(`answers in garbled HTTP: ${error.message}`);
      throw error;
    }
  }

  #bad(what: string): TransportError {
    return new TransportError('PROXY_BAD_ANSWER', `the proxy ${this.#proxy.shown} ${what}`);
  }
}

function request(proxy: ProxyServer, authority: string): string {
  const authorization = basicAuthorization(proxy);
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, 'User-Agent: rtmp-gateway'];
  if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** For people who took one kind of proxy for another. */
function whatSpeaks(first: number): string {
  if (first === 5) return 'speaks SOCKS and not HTTP: write socks5h://';
  if (first === 0x15 || first === 0x16) return 'speaks TLS and not plain HTTP: write https://';
  return 'does not answer in HTTP/1.1';
}
