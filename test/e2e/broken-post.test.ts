import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { breakPosts } from '../support/broken-posts.ts';

describe('a POST whose body breaks off, sent again on another connection', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.stop());

  it.each(['end', 'reset'] as const)(
    'brings its bytes once when the first connection leaves by %s',
    async (parting) => {
      const pictures = 12;
      const tally = await breakPosts({
        ports: gateway.ports,
        pictures,
        parting,
        seed: 7,
        until: (condition) => gateway.until(condition),
      });
      expect(tally).toEqual({ messages: pictures, lost: 0, reordered: 0, damaged: 0 });
    },
  );
});
