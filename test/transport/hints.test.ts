import { expect, it } from 'vitest';
import { HINT_LIMITS, Hints } from '../../src/transport/hints.ts';
import { recordingLog } from '../support/recording-log.ts';

const { maxPerWindow, windowMs } = HINT_LIMITS;

it('tells a few of a kind, counts the rest, and tells the count once the window is over', () => {
  const { log, lines } = recordingLog();
  const hints = new Hints(log);
  for (let i = 0; i < maxPerWindow + 3; i += 1) hints.tell('info', 'tls', { i }, 'speaks TLS', i);
  expect(lines).toHaveLength(maxPerWindow);
  hints.tell('info', 'tls', {}, 'speaks TLS', windowMs - 1);
  expect(lines).toHaveLength(maxPerWindow);
  hints.tell('info', 'tls', { i: 'next' }, 'speaks TLS', windowMs);
  expect(lines.at(-1)).toEqual({ level: 'info', fields: { i: 'next', similarWithheld: 4 }, message: 'speaks TLS' });
  hints.tell('info', 'tls', {}, 'speaks TLS', 3 * windowMs);
  expect(lines.at(-1)?.fields).toEqual({});
});

it('lets one kind not use up the budget of another', () => {
  const { log, lines } = recordingLog();
  const hints = new Hints(log);
  for (let i = 0; i < 100; i += 1) hints.tell('info', 'tls', {}, 'a', 0);
  hints.tell('warn', 'limit', {}, 'b', 0);
  expect(lines.at(-1)).toEqual({ level: 'warn', fields: {}, message: 'b' });
});
