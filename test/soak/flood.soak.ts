import { describe, expect, it } from 'vitest';
import { gateway } from '../../bench/measure/contender.ts';
import { residentKiB } from '../../bench/measure/process-cost.ts';
import { describeBrokenPosts } from '../support/broken-posts.ts';
import { floodUnread } from '../support/flood.ts';

const SENDS = 50_000;
/** Every request and answer would be some 30 MiB if they were kept; Node's own heap may well grow by this much under load. */
const MAX_GROWTH_MIB = 96;
const LIMIT_MS = 120_000;

describe('a publisher over rtmpt that never reads', () => {
  it(`gets ${SENDS} pipelined sends through and then their answers, in bounded memory`, async () => {
    const server = await gateway().start();
    const before = residentKiB(server.pid);
    let most = before;
    const sampler = setInterval(() => (most = Math.max(most, residentKiB(server.pid))), 50);
    try {
      const result = await floodUnread({ ports: server, sends: SENDS, until });
      const growth = (most - before) / 1024;
      process.stdout.write(`${SENDS} sends unread: memory grew by ${growth.toFixed(1)} MiB at most\n`);
      expect(result.received).toEqual({ messages: SENDS, lost: 0, reordered: 0, damaged: 0 });
      expect(result.answers).toBe(result.requests);
      expect(result.statuses).toEqual([200]);
      expect(result.replies.slice(0, 3)).toEqual(['_result', '_result', 'onStatus']);
      expect(growth).toBeLessThan(MAX_GROWTH_MIB);
    } finally {
      clearInterval(sampler);
      await server.stop();
    }
  });
});

describeBrokenPosts(300, 2024);

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not so after ${LIMIT_MS / 1000} s: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
