import { expect, test } from 'vitest';
import { createLog, NO_LOG, redactKey, redactText, redactUrl } from '../src/log.ts';
import type { Log, LogLevel } from '../src/log.ts';

const ID = 'AbCdEfGhIjKlMnOpQrStUv';

/** What a logger of this level and format writes. */
function written(write: (log: Log) => void, level: LogLevel = 'debug', format: 'json' | 'pretty' = 'json'): string[] {
  const lines: string[] = [];
  write(createLog({ level, format }, { write: (line) => void lines.push(line) }));
  return lines;
}

const fieldsOf = (line = '') => JSON.parse(line) as Record<string, unknown>;

test('writes one JSON object a line, with the fields and the sentence', () => {
  const lines = written((log) => log.info({ event: 'ready', ports: [1935] }, 'ready'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"event":"ready"');
  expect(fieldsOf(lines[0])).toMatchObject({ level: 30, event: 'ready', ports: [1935], msg: 'ready' });
});

test('writes lines for people: the time, the level, the sentence, then the fields', () => {
  const lines = written((log) => log.warn({ peer: 'a1', codecs: ['avc1', 'mp4a'] }, 'too slow'), 'info', 'pretty');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: too slow {"peer":"a1","codecs":\["avc1","mp4a"\]}\n$/);
});

test('writes nothing below its level, and nothing at all when silent', () => {
  const everything = (log: Log) => {
    log.debug({}, 'd');
    log.info({}, 'i');
    log.warn({}, 'w');
    log.error({}, 'e');
  };
  expect(written(everything, 'warn').map((line) => fieldsOf(line).msg)).toEqual(['w', 'e']);
  expect(written(everything, 'silent')).toEqual([]);
  everything(NO_LOG.child({}));
});

test('a child adds its fields to every line, and hides what they hold', () => {
  const [line] = written((log) => log.child({ peer: 'a1', tunnelId: ID, key: 'secret-key' }).info({}, 'x'));
  expect(fieldsOf(line)).toMatchObject({ peer: 'a1', tunnelId: '[redacted]', key: 'secr…' });
});

test('hides fields that hold a secret, one level down too', () => {
  const [line] = written((log) =>
    log.info({ tunnelId: ID, passphrase: 'p', options: { token: 't' }, url: 'rtmp://u:pw@h/live/secret-key?t=1' }, 'x'),
  );
  expect(fieldsOf(line)).toMatchObject({
    tunnelId: '[redacted]',
    passphrase: '[redacted]',
    options: { token: '[redacted]' },
    url: 'rtmp://u:***@h/live/secr…?…',
  });
});

test.each(['json', 'pretty'] as const)('hides secrets that a message or an error quotes (%s)', (format) => {
  const [line] = written(
    (log) => log.error({ err: new Error(`POST /send/${ID}/7 failed`) }, `dialling rtmps://me:hunter2@example.com/live`),
    'info',
    format,
  );
  expect(line).not.toContain(ID);
  expect(line).not.toContain('hunter2');
  expect(line).toContain('/send/[redacted]/7');
  expect(line).toContain('rtmps://me:***@example.com/live');
});

test('a client cannot write lines of its own, nor colours', () => {
  const forged = 'x\n{"level":30,"msg":"forged"}\u001b[31m';
  for (const format of ['json', 'pretty'] as const) {
    const [line = ''] = written((log) => log.info({ app: forged }, 'connected'), 'info', format);
    expect(line).not.toContain('\u001b[31m');
    expect(line).not.toMatch(/\n\{/);
  }
});

test.each(['json', 'pretty'] as const)('nothing of what a client says steers a terminal (%s)', (format) => {
  const steering = '\u001b[31m \u009b31m \u007f \u2028 \u202eevil\u202c \u2066 \u200f \u0007';
  const [line = ''] = written(
    (log) => log.info({ app: steering, what: `command ${steering}` }, `said ${steering}`),
    'info',
    format,
  );
  expect(line).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200f\u2028-\u202e\u2066]|\\u001b/);
  expect(line).toContain('?31m ? ? ?evil? ? ? ?');
});

test('keeps backslashes and the line ends of a stack', () => {
  const [line] = written((log) => log.info({ path: 'C:\\u001b\\x', stack: 'a\n  at b' }, 'x'));
  expect(fieldsOf(line)).toMatchObject({ path: 'C:\\u001b\\x', stack: 'a\n  at b' });
});

test('shows no more of a long application or address than anybody reads', () => {
  const [line] = written((log) => log.info({ app: 'a'.repeat(60_000), tcUrl: `rtmp://${'u'.repeat(60_000)}` }, 'x'));
  expect(fieldsOf(line)).toMatchObject({ app: `${'a'.repeat(255)}…`, tcUrl: '…' });
});

test.each([
  ['', ''],
  ['abc', 'abc'],
  ['abcd', 'abcd'],
  ['abcde', 'abcd…'],
  ['a\nb\u001bcdef', 'a?b?…'],
])('shows four characters of the stream key %j at most', (key, shown) => {
  expect(redactKey(key)).toBe(shown);
  expect(redactKey(shown)).toBe(shown.replace(/[^\x20-\x7e…]/g, '?'));
});

test.each([
  ['rtmp://h/live/stream-key', 'rtmp://h/live/stre…'],
  ['rtmp://user:pass@h:1935/live', 'rtmp://user:***@h:1935/live'],
  ['rtmp://user:pa"s s@h:1935/live', 'rtmp://user:***@h:1935/live'],
  ['rtmp://user:pa:s@s@h/live', 'rtmp://user:***@h/live'],
  ['rtmp://[::1]:1935/live', 'rtmp://[::1]:1935/live'],
  ['rtmp://h/a/b/stream-key?token=1#x', 'rtmp://h/a/b/stre…?…'],
  ['live/stream-key', 'live/stre…'],
  ['stream-key?user=me', 'stre…?…'],
  ['rtmp://h', 'rtmp://h'],
])('shows of %s only %s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});

test('logs what is no text under a name that usually is', () => {
  const [line] = written((log) => log.info({ key: 7, url: null }, 'x'));
  expect(fieldsOf(line)).toMatchObject({ key: 7, url: null });
});

test('leaves ordinary text alone', () => {
  for (const text of ['at 10:30, see http://h:80/a@b', 'user@host', '/send/7', '/idle/short/1', 'a: b://c']) {
    expect(redactText(text)).toBe(text);
  }
});
