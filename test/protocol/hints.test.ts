import { expect, it } from 'vitest';
import { Hints } from '../../src/protocol/hints.ts';

it('says each odd thing once, and no more than 32 of them', () => {
  const hints = new Hints();
  expect([hints.isNew('a'), hints.isNew('a'), hints.isNew('b')]).toEqual([true, false, true]);
  const further = Array.from({ length: 100 }, (_, i) => hints.isNew(`c${i}`));
  expect(further.filter(Boolean)).toHaveLength(30);
});
