import { describe, expect, it } from 'vitest';
import { reloadUnder } from '../support/tls-reloads.ts';

describe('must-do 25: certificates that change while streams run', () => {
  it('disturb no picture of eight publishers and players over rtmps and rtmpts', async () => {
    const { seen, sent, received, disturbed, ended } = await reloadUnder(8, 40, 20);
    expect({ seen, disturbed, ended }).toEqual({ seen: 40, disturbed: 0, ended: 0 });
    expect(received).toBe(sent);
    expect(sent).toBeGreaterThan(100);
  });
});
