import { expect, it } from 'vitest';
import { Crowd } from '../../src/endpoint/crowd.ts';

it('lets any number wait until the last one has left', async () => {
  const crowd = new Crowd<string>();
  await crowd.emptied();
  crowd.add('a').add('b');
  const news: string[] = [];
  const all = Promise.all([1, 2].map((i) => crowd.emptied().then(() => void news.push(`empty ${i}`))));
  crowd.delete('a');
  crowd.delete('x');
  await Promise.resolve();
  expect(news).toEqual([]);
  crowd.delete('b');
  await all;
  expect(news).toEqual(['empty 1', 'empty 2']);
});
