import { expect, test } from 'vitest';
import { Post } from '../../../src/transport/rtmpt/post.ts';
import type { Tunnel } from '../../../src/transport/rtmpt/tunnel.ts';
import { Waiting } from '../../../src/transport/rtmpt/waiting.ts';

function post(woken: string[], name: string): Post {
  const engine = { wake: () => void woken.push(name), resume() {} };
  return new Post({} as Tunnel, { kind: 'idle', number: 0, length: 1, persistent: true }, engine, 0);
}

test('everybody who waits is woken once, and then waits no more', () => {
  const woken: string[] = [];
  const waiting = new Waiting();
  const [a, b, c] = [post(woken, 'a'), post(woken, 'b'), post(woken, 'c')];
  waiting.add(a, 500);
  waiting.add(b, 300);
  waiting.add(a, 700);
  waiting.add(c, Infinity);
  expect(waiting.until).toBe(300);
  waiting.remove(c);
  waiting.wake();
  waiting.wake();
  expect(woken).toEqual(['a', 'b']);
  expect(waiting.until).toBe(Infinity);
});
