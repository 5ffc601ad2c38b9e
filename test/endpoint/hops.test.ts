import { describe, expect, it } from 'vitest';
import { loopIn, MAX_HOPS, readHops, relayProperties } from '../../src/endpoint/hops.ts';
import { decodeAmf0, encodeAmf0, object, type AmfObject } from '../../src/protocol/index.ts';

describe("the gateways on a stream's way", () => {
  it('are said in the connect object and read from it', () => {
    const [properties] = decodeAmf0(encodeAmf0(relayProperties(['a', 'b'])));
    expect(readHops(properties as AmfObject)).toEqual(['a', 'b']);
  });

  it.each([[{}], [{ rtmpGatewayHops: '' }], [{ rtmpGatewayHops: 7 }]])('are none in %j', (entries) => {
    expect(readHops(object(entries))).toEqual([]);
  });

  it('make a loop when this one is among them, or when they are too many', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);
    expect(loopIn(['a', 'b'], 'c')).toBeUndefined();
    expect(loopIn(['a', 'b'], 'b')).toContain('loop');
    expect(loopIn(many(MAX_HOPS), 'own')).toBeUndefined();
    expect(loopIn(many(MAX_HOPS + 1), 'own')).toContain('loop');
    expect(loopIn(readHops(object({ rtmpGatewayHops: 'x,'.repeat(60_000) })), undefined)).toContain('loop');
  });
});
