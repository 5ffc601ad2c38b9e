import { describe, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { targets } from './sessions.ts';

describe('garbage conversations', () => {
  it.each(targets)('do no more to $name than make it throw ProtocolErrors', ({ run }) => {
    run(seeded(2025), 600);
  });
});
