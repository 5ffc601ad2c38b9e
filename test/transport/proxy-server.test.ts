import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { authorityOf, basicAuthorization, parseProxy } from '../../src/transport/proxy-server.ts';

const plain = { credentials: undefined };

describe('a proxy', () => {
  it.each([
    ['http://proxy:3128', { scheme: 'http', host: 'proxy', port: 3128, shown: 'http://proxy:3128', ...plain }],
    ['HTTP://proxy', { scheme: 'http', host: 'proxy', port: 80, shown: 'http://proxy:80', ...plain }],
    [
      'https://proxy.example.com/',
      { scheme: 'https', host: 'proxy.example.com', port: 443, shown: 'https://proxy.example.com:443', ...plain },
    ],
    [
      'socks5://10.0.0.1',
      { scheme: 'socks5', host: '10.0.0.1', port: 1080, shown: 'socks5://10.0.0.1:1080', ...plain },
    ],
    [
      'socks5h://[2001:db8::1]:1081',
      { scheme: 'socks5h', host: '2001:db8::1', port: 1081, shown: 'socks5h://[2001:db8::1]:1081', ...plain },
    ],
    [
      'http://DOMAIN%5Cuser:p%40ss%2f:1@proxy:3128',
      {
        scheme: 'http',
        host: 'proxy',
        port: 3128,
        shown: 'http://proxy:3128',
        credentials: { user: 'DOMAIN\\user', password: 'p@ss/:1' },
      },
    ],
    [
      'http://DOMAIN\\user:@proxy',
      {
        scheme: 'http',
        host: 'proxy',
        port: 80,
        shown: 'http://proxy:80',
        credentials: { user: 'DOMAIN\\user', password: '' },
      },
    ],
  ])('%s', (url, proxy) => {
    expect(parseProxy(url)).toEqual(proxy);
  });

  it.each([
    'proxy:3128',
    'socks4://proxy',
    'http://',
    'http://proxy:0',
    'http://proxy:65536',
    'http://proxy/path',
    'http://[::g]:1',
    'http://geheim@proxy',
    'http://:geheim@proxy',
    'http://user:ge%heim@proxy',
    'http://user%3A:geheim@proxy',
    'http://user:geheim@geheim@proxy',
    'http://user:ge/heim@proxy',
    `http://user:${'geheim'.repeat(43)}@proxy`,
    'constructor://proxy',
  ])('is not %s, and the error does not repeat it', (url) => {
    expect(() => parseProxy(url)).toThrow(ConfigError);
    expect(() => parseProxy(url)).toThrow(/^(?!.*geheim).*$/);
  });

  it('takes a user name of 255 bytes and a password of as many', () => {
    const long = 'a'.repeat(255);
    expect(parseProxy(`http://${long}:${long}@proxy`).credentials).toEqual({ user: long, password: long });
  });

  it('is told a password in the Basic way (RFC 7617, section 2)', () => {
    const said = (url: string) => basicAuthorization(parseProxy(url));
    expect(said('http://Aladdin:open%20sesame@proxy')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
    // Section 2.1: with UTF-8.
    expect(said('http://test:123%C2%A3@proxy')).toBe('Basic dGVzdDoxMjPCow==');
    expect(said('http://proxy')).toBeUndefined();
  });
});

it('an IPv6 address stands in brackets before its port', () => {
  expect(authorityOf({ host: '2001:db8::1', port: 443 })).toBe('[2001:db8::1]:443');
  expect(authorityOf({ host: 'host', port: 80 })).toBe('host:80');
});
