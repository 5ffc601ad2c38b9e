import { describe, it } from 'vitest';
import { expectNothingLeft, sayFarewell } from '../support/farewell.ts';

/** A session is some 20 KiB with its buffers: a hundred of them forgotten cannot hide in this. */
const SLACK_KIB = 768;

describe('after a hundred clients of every kind came and went', () => {
  it('the process holds no session, no timer, no socket, and its heap is back', async () => {
    expectNothingLeft(await sayFarewell(100, 100, 60_000), 100, SLACK_KIB);
  }, 65_000);
});
