import { describe, expect, test } from 'vitest';
import { formatTarget, parseTarget } from '../../../src/transport/rtmpt/paths.ts';

describe('targets of the tunnel', () => {
  test.each([
    ['/fcs/ident', 'ident', '', -1],
    ['/fcs/ident2', 'ident2', '', -1],
    ['/fcs/anything', 'ident', '', -1],
    ['/open/1', 'open', '', -1],
    ['/open', 'open', '', -1],
    ['/open/99', 'open', '', -1],
    ['/send/abc/0', 'send', 'abc', 0],
    ['/idle/abc/17', 'idle', 'abc', 17],
    ['/idel/abc/17', 'idle', 'abc', 17],
    ['/close/abc/3', 'close', 'abc', 3],
    ['/close/abc', 'close', 'abc', -1],
    ['/close/2', 'close', '2', -1],
    ['//send/abc/5', 'send', 'abc', 5],
    ['/send/abc/5?token=x/y', 'send', 'abc', 5],
    ['http://gate.example:8080/send/abc/5', 'send', 'abc', 5],
    ['https://gate/close/abc', 'close', 'abc', -1],
    ['/send/abc/0007', 'send', 'abc', 7],
    ['/send/abc/9007199254740991', 'send', 'abc', Number.MAX_SAFE_INTEGER],
  ])('%s is %s', (target, command, id, number) => {
    expect(parseTarget(target)).toEqual({ command, id, number });
  });

  test.each([
    '/send',
    '/send/',
    '/send//0',
    '/send/abc',
    '/send/abc/',
    '/send/abc/x',
    '/send/abc/-1',
    '/send/abc/1.5',
    '/send/abc/1/2',
    '/send/abc/9007199254740992',
    `/send/abc/${'0'.repeat(17)}`,
    '/send/abc?/5',
    '/idle',
    '/idle/abc',
    '/close/',
    '/close',
    '/close//1',
    '/close/abc/',
  ])('%s is malformed', (target) => {
    expect(parseTarget(target)?.command).toBe('bad');
  });

  test.each([
    '/',
    '',
    '*',
    '/opening',
    '/sendabc/1',
    '/idles/abc/1',
    '/fcs',
    '/hls/live/a.m3u8',
    '/SEND/abc/1',
    '/x/send/abc/1',
    'gate.example:443',
    'http://gate.example',
    'send/abc/1',
    '?/send/abc/1',
  ])('%j is none of the tunnel', (target) => {
    expect(parseTarget(target)).toBeUndefined();
  });

  test.each(['send', 'idle', 'close'] as const)('what is formatted as %s is parsed as such', (command) => {
    expect(parseTarget(formatTarget(command, 'a1B2', 42))).toEqual({ command, id: 'a1B2', number: 42 });
  });
});
