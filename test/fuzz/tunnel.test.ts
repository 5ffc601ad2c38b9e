import { describe, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { targets } from './tunnel.ts';

describe.each(targets)('$name', (target) => {
  it('bears whatever comes', () => {
    target.run(seeded(80), 2_000);
  });
});
