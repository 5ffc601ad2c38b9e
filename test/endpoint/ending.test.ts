import { describe, expect, it } from 'vitest';
import { because, codeIn, logEnding } from '../../src/endpoint/ending.ts';
import { LimitError, ProtocolError, UsageError } from '../../src/errors.ts';
import { recordingLog } from '../support/recording-log.ts';

const system = (code: string): Error => Object.assign(new Error(`read ${code}`), { code });

function told(fault: Error | undefined, isTold = false): string {
  const { log, lines } = recordingLog();
  logEnding(log, fault, isTold);
  expect(lines).toHaveLength(1);
  return `${lines[0]!.level} ${lines[0]!.message}`;
}

describe('the end of a connection', () => {
  it.each([
    [undefined, 'debug connection closed'],
    [new ProtocolError('X', 'nonsense'), 'info connection ended: nonsense'],
    [new LimitError('X', 'too much'), 'warn connection ended: too much'],
    [new UsageError('X', 'ours'), 'error connection ended by a bug here'],
    [new TypeError('ours'), 'error connection ended by a bug here'],
    [system('ETIMEDOUT'), 'info connection ended: read ETIMEDOUT'],
    [system('ECONNRESET'), 'debug connection ended: read ECONNRESET'],
    [system('EPIPE'), 'debug connection ended: read EPIPE'],
  ])('by %s is told as "%s"', (fault, line) => {
    expect(told(fault)).toBe(line);
  });

  it('is no news when another line has named the reason, unless it went too far or is our fault', () => {
    expect(told(new ProtocolError('X', 'nonsense'), true)).toBe('debug connection ended: nonsense');
    expect(told(new LimitError('X', 'too much'), true)).toBe('warn connection ended: too much');
    expect(told(new TypeError('ours'), true)).toBe('error connection ended by a bug here');
  });

  it('has its reason put in words, but for departures', () => {
    expect([undefined, system('ECONNRESET'), new ProtocolError('X', 'nonsense')].map(because)).toEqual([
      '',
      '',
      ': nonsense',
    ]);
    expect([undefined, system('EPIPE'), new ProtocolError('X', 'nonsense')].map(codeIn)).toEqual([
      {},
      { code: 'EPIPE' },
      { code: 'X' },
    ]);
  });
});
