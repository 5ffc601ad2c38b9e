import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { HttpConnect } from '../../src/transport/http-connect.ts';
import { parseProxy } from '../../src/transport/proxy-server.ts';
import { cuts } from '../support/feed.ts';
import { seeded } from '../support/random.ts';

const PROXY = parseProxy('http://Aladdin:open%20sesame@proxy:3128');
const begin = (port = 443) => new HttpConnect(PROXY, { host: 'server.example.com', port });

function faultOf(answer: string, connect = begin()): GatewayError {
  try {
    connect.receive(Buffer.from(answer, 'latin1'));
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return error as GatewayError;
  }
  throw new Error('nothing was thrown');
}

/** As Squid 5.7 says it, and as tinyproxy, with an interim answer and bare line feeds. */
const OPEN = [
  'HTTP/1.1 200 Connection established\r\n\r\n',
  'HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nDate: x\r\n\r\n',
  'HTTP/1.1 200 OK\nVia: 1.1 x\n\n',
];

describe('asking an HTTP proxy for a tunnel', () => {
  it('says where to and who asks, in one piece (RFC 9110, section 9.3.6)', () => {
    expect(begin().opening.toString()).toBe(
      'CONNECT server.example.com:443 HTTP/1.1\r\nHost: server.example.com:443\r\nUser-Agent: rtmp-gateway\r\n' +
        'Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n',
    );
    const open = new HttpConnect(parseProxy('http://proxy'), { host: '2001:db8::1', port: 1935 });
    expect(open.opening.toString()).toBe(
      'CONNECT [2001:db8::1]:1935 HTTP/1.1\r\nHost: [2001:db8::1]:1935\r\nUser-Agent: rtmp-gateway\r\n\r\n',
    );
  });

  it.each(OPEN)('is open after %j: whole, byte by byte, and cut anyhow', (answer) => {
    const bytes = Buffer.from(answer);
    const ways: Buffer[][] = [[bytes], [...bytes].map((byte) => Buffer.of(byte))];
    for (let seed = 1; seed <= 20; seed++) ways.push(cuts(bytes, seeded(seed)));
    for (const pieces of ways) {
      const connect = begin();
      const said = pieces.map((piece) => connect.receive(piece));
      expect(said.filter((word) => word !== undefined)).toEqual(['open']);
      expect(said.at(-1)).toBe('open');
    }
  });

  it.each([
    [
      'HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n<html>',
      'PROXY_REFUSED',
      'does not let us through (403 Forbidden, ERR_ACCESS_DENIED 0)',
    ],
    ['HTTP/1.1 405 No\r\n\r\n', 'PROXY_REFUSED', 'does not let us through (405 No)'],
    [
      'HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm="x, NTLM"\r\n\r\n',
      'PROXY_AUTHENTICATION',
      'refuses the user name or the password',
    ],
    ['HTTP/1.1 407 x\r\n\r\n', 'PROXY_AUTHENTICATION', 'refuses the user name or the password'],
    [
      'HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n',
      'PROXY_AUTHENTICATION',
      'wants a password in a way that is not spoken here (Negotiate, NTLM): put a helper such as cntlm or px in between',
    ],
    [
      'HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate, Basic realm="x"\r\n\r\n',
      'PROXY_AUTHENTICATION',
      'refuses the user name or the password',
    ],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'PROXY_FAILED', 'could not connect us (502 Bad Gateway)'],
    ['HTTP/1.1 429 Later\r\n\r\n', 'PROXY_FAILED', 'could not connect us (429 Later)'],
    ['HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n', 'PROXY_FAILED', 'could not connect us (302 Found)'],
    ['HTTP/1.1 200 OK\r\n\r\nx', 'PROXY_BAD_ANSWER', 'said more than that the way is open'],
    ['SSH-2.0-x', 'PROXY_BAD_ANSWER', 'does not answer in HTTP/1.1'],
    ['HTTP/2 200\r\n\r\n', 'PROXY_BAD_ANSWER', 'does not answer in HTTP/1.1'],
    ['\x05\xff', 'PROXY_BAD_ANSWER', 'speaks SOCKS and not HTTP: write socks5h://'],
    ['\x15\x03\x01', 'PROXY_BAD_ANSWER', 'speaks TLS and not plain HTTP: write https://'],
    ['HTTP/1.1 abc\r\n\r\n', 'PROXY_BAD_ANSWER', 'answers in garbled HTTP: what came back is no HTTP answer'],
  ])('%j is %s', (answer, code, words) => {
    const fault = faultOf(answer);
    expect([fault.code, fault.message]).toEqual([code, `the proxy http://proxy:3128 ${words}`]);
  });

  it('hints at the port where that is the likely reason', () => {
    expect(faultOf('HTTP/1.1 403 No\r\n\r\n', begin(1935)).message).toMatch(
      /; many proxies allow CONNECT to port 443 only$/,
    );
  });

  it('whatever it is told, ends as an error of ours, if at all', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const random = seeded(seed);
      const answer = Buffer.from(random.pick(OPEN));
      for (let count = random.int(4); count >= 0; count--) answer[random.int(answer.length)] = random.int(256);
      const connect = begin();
      try {
        for (const piece of cuts(answer, random)) connect.receive(piece);
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
      }
    }
  });

  it('reads 16 KiB of heads, interim ones included, and no byte more', () => {
    const head = (bytes: number) => `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(bytes - 20)}`;
    expect(begin().receive(Buffer.from(`${head(16_384)}\r\n\r\n`))).toBe('open');
    expect(faultOf(`${head(16_385)}\r\n\r\n`).code).toBe('PROXY_BAD_ANSWER');
    expect(faultOf(head(16_385)).code).toBe('PROXY_BAD_ANSWER');
    expect(faultOf('HTTP/1.1 100 Continue\r\n\r\n'.repeat(700)).code).toBe('PROXY_BAD_ANSWER');
  });
});
