import { expect, it } from 'vitest';
import { settingsFor } from '../../src/endpoint/settings-for.ts';
import { random } from '../../src/endpoint/index.ts';
import { nextPeerId, type Scheme } from '../../src/transport/index.ts';

const peer = (scheme: Scheme) => ({ scheme, secure: false, address: '192.0.2.7', port: 1, id: nextPeerId() });

it.each([
  ['rtmp', undefined, undefined],
  ['rtmps', 4_000, 4_000],
  ['rtmpt', undefined, 15_000],
  ['rtmpts', 4_000, 6_000],
] as const)('over %s with %s ms, the handshake has %s ms', (scheme, given, expected) => {
  const settings = given === undefined ? { random } : { random, handshakeTimeoutMs: given };
  expect(settingsFor(peer(scheme), settings).handshakeTimeoutMs).toBe(expected);
});
