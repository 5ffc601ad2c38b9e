import { expect, test } from 'vitest';
import { peerFields } from '../../src/transport/link.ts';

const peer = { scheme: 'rtmps', secure: true, address: '192.0.2.7', port: 4000, id: 'c1' } as const;

test('a peer is named in the log by id, address and scheme, and by its certificate if it has one', () => {
  expect(peerFields(peer)).toEqual({ peer: 'c1', address: '192.0.2.7', scheme: 'rtmps' });
  const identity = { commonName: 'studio 1', fingerprint: 'AA' };
  expect(peerFields({ ...peer, identity })).toEqual({ ...peerFields(peer), client: 'studio 1' });
});
