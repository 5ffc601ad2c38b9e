import { describe, expect, it } from 'vitest';
import { reloadUnder } from '../support/tls-reloads.ts';

describe('a thousand new certificates', () => {
  it('disturb no picture of 50 publishers and 50 players over rtmps and rtmpts, and each is seen', async () => {
    const run = await reloadUnder(50, 1_000, 40);
    process.stdout.write(`${JSON.stringify(run)}\n`);
    expect(run).toMatchObject({ seen: 1_000, disturbed: 0, ended: 0, received: run.sent });
  });
});
