import { expect, it } from 'vitest';
import { NO_LOG } from '../../src/log.ts';
import { Upstream } from '../../src/transport/upstream.ts';

const RECOVERY = { firstRetryMs: 1_000, maxRetryMs: 30_000 };
const server = { name: 'rtmp://a:1935', weight: 1, dial: () => Promise.reject(new Error('unused')) };

it('waits are spread by a quarter either way, so that many gateways do not ask at once', () => {
  const waits = [0, 0.25, 0.5, 1].map((draw) => new Upstream(server, RECOVERY, () => draw, NO_LOG).spread(1_000));
  expect(waits).toEqual([750, 875, 1_000, 1_250]);
});

it('clients that fail one after the other count as one failure', () => {
  const upstream = new Upstream(server, RECOVERY, () => 0.5, NO_LOG);
  for (let i = 0; i < 10; i++) upstream.refused(new Error('refused'), i);
  expect(upstream.retryMs()).toBe(1_000);
  for (let i = 0; i < 3; i++) upstream.failedProbe(new Error('refused'), false, i);
  expect(upstream.retryMs()).toBe(8_000);
  upstream.reached(20);
  expect(upstream.isUp).toBe(true);
});
