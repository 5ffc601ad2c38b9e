import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MAX_ID_LENGTH, createSessionId } from '../../../src/transport/rtmpt/session-id.ts';

test('an id is a node tag and 22 random letters and digits', () => {
  expect(createSessionId('', randomBytes)).toMatch(/^[A-Za-z0-9]{22}$/);
  expect(createSessionId('node12345', randomBytes)).toMatch(/^node12345[A-Za-z0-9]{22}$/);
  expect(createSessionId('node12345', randomBytes)).toHaveLength(MAX_ID_LENGTH);
});

test('bytes that would make some characters likelier are passed over', () => {
  let calls = 0;
  const random = (bytes: number): Buffer => Buffer.alloc(bytes, calls++ === 0 ? 255 : 61);
  expect(createSessionId('', random)).toBe('9'.repeat(22));
  expect(calls).toBe(2);
});

test('all characters occur about equally often', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 2000; i++)
    for (const character of createSessionId('', randomBytes)) counts.set(character, (counts.get(character) ?? 0) + 1);
  const mean = (2000 * 22) / 62;
  expect(counts.size).toBe(62);
  // Six standard deviations.
  for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(6 * Math.sqrt(mean));
});
