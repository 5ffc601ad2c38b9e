import { expect, test } from 'vitest';
import { OwedAnswers, type OwedReply } from '../../../src/transport/rtmpt/owed.ts';
import { Post } from '../../../src/transport/rtmpt/post.ts';
import type { Tunnel } from '../../../src/transport/rtmpt/tunnel.ts';
import { refusal } from '../../../src/transport/rtmpt/tunnels.ts';

const ENGINE = { wake() {}, resume() {} };
/** A session of which no answer is remembered. */
const session = () => ({ remembers: () => false }) as unknown as Tunnel;
const [ONE, OTHER] = [session(), session()] as const;

function post(number: number, changes: Partial<Post> = {}, tunnel = ONE, persistent = true): Post {
  const made = new Post(tunnel, { kind: 'send', number, length: 1, persistent }, ENGINE, 0);
  return Object.assign(made, { fresh: true, inOrder: true, complete: true, ...changes });
}

function reply(): OwedReply {
  return { reply: refusal(404), complete: true, before: 0 };
}

test('posts of one session in a row are one run, and a count', () => {
  const owed = new OwedAnswers();
  for (let number = 0; number < 50_000; number++) owed.push(post(number));
  expect(owed.runs).toBe(1);
  expect(owed.first).toMatchObject({ number: 49_999, before: 49_999 });
});

test.each([
  ['another session', post(0), post(1, {}, OTHER)],
  ['a gap', post(0), post(2)],
  ['a repeat', post(0), post(1, { fresh: false })],
  ['an answer owed to a repeat', post(0, { fresh: false }), post(1)],
  ['an answer that waits for earlier numbers', post(0, { inOrder: false }), post(1)],
  ['an answer that closes the connection', post(0, {}, ONE, false), post(1)],
  ['an answer that has begun', post(0, { early: 1 }), post(1)],
])('%s begins a new run', (_, first, second) => {
  const owed = new OwedAnswers();
  owed.push(first);
  owed.push(second);
  expect(owed.runs).toBe(2);
});

test('a reply is a run of its own', () => {
  const owed = new OwedAnswers();
  for (const item of [post(0), reply(), post(1), post(2), reply()]) owed.push(item);
  expect(owed.runs).toBe(4);
  expect(owed.posts().map(({ number }) => number)).toEqual([0, 2]);
});

test('a reply in place of the last answer keeps what is owed before it', () => {
  const owed = new OwedAnswers();
  for (const number of [0, 1, 2]) owed.push(post(number));
  owed.replaceLast(refusal(408));
  expect(owed.runs).toBe(1);
  expect(owed.first).toMatchObject({ reply: { status: 408 }, before: 2 });
});

test('a post that a copy was answered for elsewhere is no bare answer that can be counted', () => {
  const remembering = { remembers: (number: number) => number === 0 } as unknown as Tunnel;
  const owed = new OwedAnswers();
  for (const number of [0, 1, 2]) owed.push(post(number, {}, remembering));
  expect(owed.runs).toBe(2);
});
