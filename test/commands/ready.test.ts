import { expect, test } from 'vitest';
import { addressLines, adminLine, upstreamLines } from '../../src/commands/ready.ts';

const ALL = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts', 'web'] as const;

test('one line for each address worth knowing', () => {
  const doors = [1935, 8080, 8443].map((port) => ({ host: '::', port, protocols: ALL, behindProxy: false }));
  expect(addressLines(doors)).toEqual([
    'rtmp://localhost:1935/APP/STREAM',
    'rtmps://localhost:8443/APP/STREAM',
    'rtmpt://localhost:8080/APP/STREAM',
    'rtmpts://localhost:8443/APP/STREAM',
    'http://localhost:8080/',
    'https://localhost:8443/',
  ]);
});

test('names the address of a door that is not on all of them, IPv6 in brackets', () => {
  expect(addressLines([{ host: '10.0.0.5', port: 1, protocols: ['rtmp'], behindProxy: false }])).toEqual([
    'rtmp://10.0.0.5:1/APP/STREAM',
  ]);
  expect(addressLines([{ host: '::1', port: 1, protocols: ['rtmpt'], behindProxy: false }])).toEqual([
    'rtmpt://[::1]:1/APP/STREAM',
  ]);
  expect(addressLines([{ host: '0.0.0.0', port: 1, protocols: ['rtmp'], behindProxy: false }])).toEqual([
    'rtmp://localhost:1/APP/STREAM',
  ]);
});

test('names a door that only proxies can use as just that', () => {
  const doors = [
    { host: '127.0.0.1', port: 1936, protocols: ALL, behindProxy: true },
    { host: '::', port: 1935, protocols: ['rtmp'], behindProxy: false },
  ] as const;
  expect(addressLines(doors)).toEqual([
    'rtmp://localhost:1935/APP/STREAM',
    '127.0.0.1:1936, for proxies with a PROXY protocol header',
  ]);
});

test('says where RTMP goes when it does not end here', () => {
  const server = { url: 'rtmp://a', weight: 1, proxyProtocol: 'off', verify: true } as const;
  const options = { balance: 'hash', connectTimeoutMs: 1, probeMs: 1 } as const;
  expect(upstreamLines({ servers: [], options })).toEqual([]);
  expect(upstreamLines({ servers: [server], options })).toEqual(['RTMP goes to rtmp://a:1935']);
  expect(upstreamLines({ servers: [server, { ...server, url: 'rtmps://b' }], options })).toEqual([
    'RTMP goes to rtmp://a:1935, rtmps://b:443 (hash)',
  ]);
});

test('names the admin listener by an address that can be asked', () => {
  const of = (host: string) => adminLine({ host, port: 9000 });
  expect(of('127.0.0.1')).toBe('http://127.0.0.1:9000/api/v1/relays, for those who run it');
  expect(of('::1')).toMatch(/^http:\/\/\[::1\]:9000\//);
  expect(of('0.0.0.0')).toMatch(/^http:\/\/localhost:9000\//);
});
