import { describe, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { targets } from './protocol-low.ts';

describe('garbage', () => {
  it.each(targets)('does no more to $name than make it throw ProtocolErrors', ({ run }) => {
    run(seeded(2024), 2000);
  });
});
