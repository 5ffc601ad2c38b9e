import { describe, expect, it } from 'vitest';
import { HOSTILE_ENGINES, runHostile } from '../support/hostile-rig.ts';

/** A million in all. */
const POLLS = 170_000;
const LIMIT_MS = 1_800_000;

describe('RTMPT behind a hostile proxy, for long', () => {
  for (const engine of HOSTILE_ENGINES) {
    for (const inFlight of [1, 2] as const) {
      it(
        `loses no byte and no session in ${POLLS} polls: ${engine}, ${inFlight} in flight`,
        async () => {
          const began = performance.now();
          const result = await runHostile({ engine, inFlight, seed: 100 + inFlight, sessions: 40, polls: POLLS });
          const seconds = ((performance.now() - began) / 1000).toFixed(0);
          process.stdout.write(`${engine}, ${inFlight} in flight, ${seconds} s: ${JSON.stringify(result)}\n`);
          expect(result.polls).toBeGreaterThanOrEqual(POLLS);
        },
        LIMIT_MS,
      );
    }
  }
});
