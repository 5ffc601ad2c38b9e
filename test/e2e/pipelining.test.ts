import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { floodUnread } from '../support/flood.ts';

/** Enough for the owed answers to fill many writes; 50,000 of them are sent by `npm run soak`. */
const SENDS = 4_000;

describe('a publisher over rtmpt that sends on without reading a single answer', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.stop());

  it('gets everything through, and then an answer to each request, in order', async () => {
    const { ports } = gateway;
    const result = await floodUnread({
      ports,
      sends: SENDS,
      until: (condition, limitMs) => gateway.until(condition, limitMs),
    });
    expect(result.received).toEqual({ messages: SENDS, lost: 0, reordered: 0, damaged: 0 });
    expect(result.answers).toBe(result.requests);
    expect(result.statuses).toEqual([200]);
    expect(result.replies.slice(0, 3)).toEqual(['_result', '_result', 'onStatus']);
  });
});
