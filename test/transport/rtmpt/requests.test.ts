import { describe, expect, it } from 'vitest';
import { RemoteError, TransportError } from '../../../src/errors.ts';
import type { Answer } from '../../../src/transport/rtmpt/answers.ts';
import { formatPost, isFromProxy, readSessionId, refusal } from '../../../src/transport/rtmpt/requests.ts';

function answer(changes: Partial<Answer>): Answer {
  const body = Buffer.alloc(0);
  return {
    status: 200,
    reason: '',
    contentType: 'application/x-fcs',
    keepAlive: true,
    challenges: '',
    body,
    ...changes,
  };
}

describe('a request', () => {
  it('is one piece of head and body, spelled as the strictest servers want it', () => {
    // Order and spelling after librtmp's; crtmpserver closes on any other spelling of Keep-Alive.
    expect(formatPost('/send/A1/7', 'example.com:8080', Buffer.from('xyz')).toString('latin1')).toBe(
      'POST /send/A1/7 HTTP/1.1\r\n' +
        'Host: example.com:8080\r\n' +
        'Accept: */*\r\n' +
        'User-Agent: rtmp-gateway\r\n' +
        'Connection: Keep-Alive\r\n' +
        'Cache-Control: no-cache\r\n' +
        'Content-Type: application/x-fcs\r\n' +
        'Content-Length: 3\r\n\r\nxyz',
    );
  });
});

describe('the id in the answer to open', () => {
  it.each([
    ['with one line feed, as it should be', 'AbC123\n', 'AbC123'],
    ['without one', '1234567890', '1234567890'],
    ['with CRLF', 'node-1_x.y~z\r\n', 'node-1_x.y~z'],
    ['of the 62 characters that FFmpeg can take', `${'a'.repeat(62)}\n`, 'a'.repeat(62)],
  ])('is read %s', (_name, body, id) => {
    expect(readSessionId(answer({ body: Buffer.from(body) }))).toBe(id);
  });

  it.each([
    ['longer than that', `${'a'.repeat(63)}\n`],
    ['empty', '\n'],
    ['with a slash', 'a/b\n'],
    ['of two lines', 'a\nb\n'],
    ['a web page', '<html></html>'],
  ])('is refused when it is %s', (_name, body) => {
    expect(() => readSessionId(answer({ body: Buffer.from(body) }))).toThrow(TransportError);
  });

  it('is not taken from a web page that happens to be one word', () => {
    expect(() => readSessionId(answer({ contentType: 'text/html', body: Buffer.from('Welcome') }))).toThrow(
      TransportError,
    );
  });
});

describe('a refusal', () => {
  it.each([
    [404, 'TUNNEL_NOT_FOUND', /knows no RTMP tunnel/],
    [503, 'TUNNEL_BUSY', /too busy/],
    [407, 'TUNNEL_REFUSED', /407 Proxy Authentication Required/],
  ])('with %i is told in plain words', (status, code, words) => {
    const reason = status === 407 ? 'Proxy Authentication Required' : 'x';
    const error = refusal(answer({ status, reason }), 'the server');
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });
});

describe('an answer comes from a proxy on the way', () => {
  it.each([
    ['a bad gateway with a page', 502, 'text/html', true],
    ['a gateway time-out without a type', 504, '', true],
    ['a portal that answers anything with a page', 200, 'text/html', true],
    ["the tunnel's own 503", 503, 'application/x-fcs', false],
    ['a 404, typed or not', 404, 'text/html', false],
    ['an ordinary answer of a server that names no type', 200, '', false],
  ])('%s: %i %s', (_name, status, contentType, expected) => {
    expect(isFromProxy(answer({ status, contentType }))).toBe(expected);
  });
});
