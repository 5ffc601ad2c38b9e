import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startFailure } from '../../src/commands/start-failure.ts';
import { ConfigError, TransportError } from '../../src/errors.ts';

const systemError = (fields: object) =>
  Object.assign(new Error('as the system says it'), { syscall: 'listen', ...fields });

test('a port in use, as Node says it, is one clear line and status 1', async () => {
  const first = createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as AddressInfo;
  const [error] = await once(createServer().listen(port, '127.0.0.1'), 'error');
  first.close();
  expect(startFailure(error)).toEqual({
    status: 1,
    message: `cannot listen on 127.0.0.1:${port}: the port is in use; stop the program that has it, or choose another port`,
  });
});

test('is found behind the error of a room', () => {
  const cause = systemError({ code: 'EADDRINUSE', address: '::', port: 80 });
  expect(startFailure(new ConfigError('CANNOT_LISTEN', 'no', { cause }))).toMatchObject({
    status: 1,
    message: expect.stringContaining('cannot listen on port 80: the port is in use'),
  });
});

test.each([
  [{ code: 'EACCES', address: '0.0.0.0', port: 80 }, /^cannot listen on port 80: no permission; ports below 1024 need/],
  [
    { code: 'EADDRNOTAVAIL', address: '10.9.9.9', port: 1 },
    /^cannot listen on 10\.9\.9\.9:1: this machine has no such address/,
  ],
  [{ code: 'EADDRINUSE', address: '::1', port: 1 }, /^cannot listen on \[::1\]:1: /],
  [{ code: 'EWHATEVER', address: '::1', port: 1 }, /^cannot listen on \[::1\]:1: as the system says it$/],
  [
    { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nowhere' },
    /^cannot listen on nowhere: there is no such host/,
  ],
  [{ code: 'ENOSPC', syscall: 'write' }, /^as the system says it$/],
])('explains %j', (fields, message) => {
  expect(startFailure(systemError(fields))).toEqual({ status: 1, message: expect.stringMatching(message) });
});

test('a configuration that cannot be used is status 2', () => {
  expect(startFailure(new ConfigError('CERTIFICATE', 'cert.pem is garbage'))).toEqual({
    status: 2,
    message: 'cert.pem is garbage',
  });
});

test('everything else is a fault of ours', () => {
  expect(startFailure(new TypeError('undefined is not a function'))).toBeUndefined();
  expect(startFailure(new TransportError('X', 'y'))).toBeUndefined();
  expect(startFailure('text')).toBeUndefined();
});
