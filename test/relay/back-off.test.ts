import { describe, expect, it } from 'vitest';
import { RefusedByServer } from '../../src/endpoint/index.ts';
import { ProtocolError, RejectedError, RemoteError, TransportError } from '../../src/errors.ts';
import { BackOff, BACK_OFF_DEFAULTS, kindOf } from '../../src/relay/back-off.ts';

const { firstRetryMs, maxRetryMs, firstRefusedMs, maxRefusedMs, goodAfterMs } = BACK_OFF_DEFAULTS;
const backOff = (random = 0.5): BackOff => new BackOff(BACK_OFF_DEFAULTS, () => random);
const refusal = (code: string, what: 'connect' | 'publish' | 'play' = 'publish'): RefusedByServer =>
  new RefusedByServer({ what, status: { level: 'error', code, description: 'no' } });

describe('waiting', () => {
  it('doubles with each failure, up to a limit', () => {
    const waits = backOff();
    const seen = Array.from({ length: 6 }, () => waits.next('network', 0));
    expect(seen).toEqual([1000, 2000, 4000, 8000, maxRetryMs, maxRetryMs]);
    expect(waits.failures).toBe(6);
  });

  it('is longer after refusals', () => {
    const waits = backOff();
    const seen = Array.from({ length: 7 }, () => waits.next('refused', 0));
    expect([seen[0], seen[1], seen.at(-1)]).toEqual([firstRefusedMs, 2 * firstRefusedMs, maxRefusedMs]);
  });

  it('begins anew after a connection that lasted, and when the trouble is of another kind', () => {
    const waits = backOff();
    waits.next('network', 0);
    waits.next('network', goodAfterMs - 1);
    expect(waits.next('network', goodAfterMs)).toBe(firstRetryMs);
    expect(waits.next('refused', 0)).toBe(firstRefusedMs);
    expect(waits.next('network', 0)).toBe(firstRetryMs);
  });

  it('is a quarter more or less, so that not all come at once', () => {
    expect([backOff(0).next('network', 0), backOff(1).next('network', 0)]).toEqual([750, 1250]);
  });
});

describe('a failure', () => {
  it.each([
    [refusal('NetStream.Publish.BadName'), 'refused'],
    [refusal('NetConnection.Connect.Rejected', 'connect'), 'refused'],
    [refusal('NetStream.Publish.BadAuth'), 'refused'],
    [new RejectedError('STREAM_TAKEN', 'x'), 'refused'],
    [refusal('NetStream.Play.StreamNotFound', 'play'), 'network'],
    [refusal('NetConnection.Connect.AppShutdown', 'connect'), 'network'],
    [new TransportError('CONNECT_FAILED', 'x'), 'network'],
    [new ProtocolError('CHUNK_INVALID', 'x'), 'network'],
    [new RemoteError('TUNNEL_BUSY', 'x'), 'network'],
    [new RemoteError('AUTH_NEEDED', 'x'), 'refused'],
    [new RemoteError('AUTH_REFUSED', 'x'), 'refused'],
    [new RemoteError('PROXY_AUTHENTICATION', 'x'), 'refused'],
    [new RemoteError('PROXY_REFUSED', 'x'), 'refused'],
    [new TransportError('PROXY_FAILED', 'x'), 'network'],
    [new Error('x'), 'network'],
    [undefined, 'network'],
  ] as const)('%s is of the kind %s', (fault, kind) => {
    expect(kindOf(fault)).toBe(kind);
  });
});
