import { expect, test } from 'vitest';
import { addressLines } from '../../src/commands/ready.ts';

test('one line for each address that a client can use', () => {
  const doors = [{ host: '::', port: 8080, protocols: ['rtmp', 'rtmps', 'rtmpt', 'rtmpts', 'web'] as const }];
  expect(addressLines(doors)).toEqual([
    'rtmp://localhost:8080/APP/STREAM',
    'rtmps://localhost:8080/APP/STREAM',
    'rtmpt://localhost:8080/APP/STREAM',
    'rtmpts://localhost:8080/APP/STREAM',
    'http://localhost:8080/',
    'https://localhost:8080/',
  ]);
});

test('names the address of a door that is not on all of them, IPv6 in brackets', () => {
  expect(addressLines([{ host: '10.0.0.5', port: 1, protocols: ['rtmp'] }])).toEqual(['rtmp://10.0.0.5:1/APP/STREAM']);
  expect(addressLines([{ host: '::1', port: 1, protocols: ['rtmpt'] }])).toEqual(['rtmpt://[::1]:1/APP/STREAM']);
  expect(addressLines([{ host: '0.0.0.0', port: 1, protocols: ['rtmp'] }])).toEqual(['rtmp://localhost:1/APP/STREAM']);
});
