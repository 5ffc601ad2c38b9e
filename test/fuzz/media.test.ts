import { describe, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { targets } from './media.ts';

describe.each(targets)('$name', ({ run }) => {
  it('reads whatever comes, and rejects nothing but by its own error', () => {
    run(seeded(20_260), 20_000);
  });
});
