import { describe, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { targets } from './doors.ts';

describe.each(targets)('$name', ({ run }) => {
  it('bears whatever comes, and rejects nothing but by its own error', () => {
    run(seeded(1_935), 20_000);
  });
});
