import { describe, expect, it } from 'vitest';
import { HOSTILE_ENGINES, runHostile } from '../support/hostile-rig.ts';

const POLLS = 900;

describe('RTMPT behind a proxy that doubles, reorders, splits, drops, delays and breaks off', () => {
  for (const engine of HOSTILE_ENGINES) {
    for (const inFlight of [1, 2] as const) {
      it(`loses no byte and no session: ${engine}, ${inFlight} in flight`, async () => {
        const result = await runHostile({ engine, inFlight, seed: inFlight, sessions: 12, polls: POLLS });
        expect(result.polls).toBeGreaterThanOrEqual(POLLS);
        expect(result.requests).toBeGreaterThan(result.polls);
        expect(Object.keys(result.mishaps).length).toBeGreaterThanOrEqual(13);
      }, 30_000);
    }
  }
});
