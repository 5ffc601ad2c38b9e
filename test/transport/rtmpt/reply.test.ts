import { describe, expect, test } from 'vitest';
import {
  BLOCK,
  EARLY_LINES,
  bareReplies,
  bareReply,
  fitWindow,
  formatDataStart,
  formatEarlyRest,
  formatReply,
  headFields,
} from '../../../src/transport/rtmpt/reply.ts';

/** As librtmp wants it: 13 bytes it compares, `Content-` literally, one space before the length. */
const BARE = [
  'HTTP/1.1 200 OK',
  'Content-Type: application/x-fcs',
  'Connection: Keep-Alive',
  'Cache-Control: no-store, no-transform',
  'X-Accel-Buffering: no',
  'Content-Length: 1',
  '',
  '\x01',
].join('\r\n');

test('a bare answer is exactly these bytes', () => {
  expect(bareReply(1, true).toString('latin1')).toBe(BARE);
  expect(bareReply(1, false).toString('latin1')).toBe(BARE.replace('Keep-Alive', 'close'));
  expect(bareReply(33, true).toString('latin1')).toBe(`${BARE.slice(0, -1)}\x21`);
});

test('bare answers in a row are as many as asked for', () => {
  expect(bareReplies(3).toString('latin1')).toBe(BARE.repeat(3));
  expect(bareReplies(BLOCK).toString('latin1')).toBe(BARE.repeat(BLOCK));
});

test('early lines and the rest are the same answer, however many of them were early', () => {
  const whole = formatDataStart(1, 5000, true);
  for (let early = 1; early <= EARLY_LINES.length; early++)
    expect(Buffer.concat([...EARLY_LINES.slice(0, early), formatEarlyRest(early, 1, 5000)])).toEqual(whole);
  expect(whole.toString('latin1')).toBe(BARE.replace('Length: 1', 'Length: 5001'));
});

test.each([
  [404, 'HTTP/1.1 404 Not Found', undefined],
  [405, 'HTTP/1.1 405 Method Not Allowed', 'Allow: POST'],
  [503, 'HTTP/1.1 503 Service Unavailable', 'Retry-After: 5'],
  [431, 'HTTP/1.1 431 Request Header Fields Too Large', undefined],
] as const)('%d is a short refusal with its length last', (status, line, extra) => {
  const text = formatReply(status, false, '').toString('latin1');
  expect(text.startsWith(`${line}\r\n`)).toBe(true);
  expect(text.endsWith('\r\nContent-Length: 0\r\n\r\n')).toBe(true);
  expect(text).toContain('\r\nConnection: close\r\n');
  if (extra !== undefined) expect(text).toContain(`\r\n${extra}\r\n`);
  expect(text.length).toBeLessThan(220);
});

test('both engines write the same fields', () => {
  const fields = headFields(200, true, 1).map(([name, value]) => `${name}: ${value}`);
  expect(`HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\n\r\n\x01`).toBe(BARE);
});

describe("librtmp's window of 16,383 bytes", () => {
  test.each([true, false])('no answer ends in its last 299 bytes (kept open: %s)', (persistent) => {
    for (let bytes = 1; bytes < 120_000; bytes++) {
      const fitting = fitWindow(bytes, persistent);
      const length = formatDataStart(1, fitting, persistent).length + fitting;
      if (length % 16_383 > 16_083) throw new Error(`${bytes} bytes make an answer of ${length}`);
      if (fitting < bytes - 300 || fitting > bytes || fitting <= 0) throw new Error(`${bytes} became ${fitting}`);
    }
  });

  test('answers elsewhere are left alone', () => {
    expect(fitWindow(3073, true)).toBe(3073);
    expect(fitWindow(15_900, true)).toBe(15_900);
    expect(fitWindow(17_000, true)).toBe(17_000);
  });
});
