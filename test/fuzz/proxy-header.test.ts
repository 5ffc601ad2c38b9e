import { describe, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { targets } from './proxy-header.ts';

describe.each(targets)('$name', ({ run }) => {
  it('agrees with a second reading of the specification', () => {
    run(seeded(1_935), 3_000);
  });
});
