import { expect, test } from 'vitest';
import { reload } from '../../src/commands/reload.ts';
import type { Config } from '../../src/config/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { load } from '../support/config-file.ts';
import { recordingLog } from '../support/recording-log.ts';

function setUp(isGood = true) {
  const { log, lines } = recordingLog();
  const read: Config['tls'][] = [];
  const rules: Config['relay'][] = [];
  const gateway = {
    reloadCertificates: async (options: Config['tls']) => (read.push(options), isGood),
    reloadRelays: (relay: Config['relay']) => (rules.push(relay), { added: 1, removed: 2, kept: 3 }),
  };
  return { log, lines, read, rules, gateway };
}

const running = load('tls: { certificates: [{ cert: a.pem, key: a.key }] }').config;

test('certificates are read from where the file says now', async () => {
  const { log, lines, read, gateway } = setUp();
  const next = load('tls: { certificates: [{ cert: b.pem, key: b.key }] }').config;
  expect(await reload(gateway, running, () => next, log)).toEqual(next);
  expect(read).toEqual([next.tls]);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([['info', 'certificates have been read again']]);
});

test('everything else waits for the next start, and is named', async () => {
  const { log, lines, gateway } = setUp();
  const next = load(
    'listen: [{ port: 1 }]\ntunnel: { hold: 1s }\ntls: { certificates: [{ cert: b.pem, key: b.key }] }',
  ).config;
  const inForce = await reload(gateway, running, () => next, log);
  expect(inForce).toEqual({ ...running, tls: next.tls });
  expect(lines[0]).toMatchObject({ level: 'warn', message: 'changed, but only at the next start: listen, tunnel' });
});

test('a file that is wrong changes nothing, and certificates are read from where they were', async () => {
  const { log, lines, read, gateway } = setUp();
  const broken = () => {
    throw new ConfigError('X', 'rtmp-gateway.yaml:3: unknown key tlss');
  };
  expect(await reload(gateway, running, broken, log)).toEqual(running);
  expect(read).toEqual([running.tls]);
  expect(lines[0]).toMatchObject({ level: 'error', message: expect.stringContaining('rtmp-gateway.yaml:3') });
});

test('certificates that are of no use leave what was in force', async () => {
  const { log, lines, gateway } = setUp(false);
  const next = load('tls: { certificates: [{ cert: b.pem, key: b.key }] }').config;
  expect(await reload(gateway, running, () => next, log)).toEqual(running);
  expect(lines).toEqual([]);
});

test('rules for relays count at once, and are not touched when they say the same', async () => {
  const { log, lines, rules, gateway } = setUp();
  const next = load('relay: [{ push: live/*, to: rtmp://h/a/b }]').config;
  const inForce = await reload(gateway, load('').config, () => next, log);
  expect([inForce.relay, rules]).toEqual([next.relay, [next.relay]]);
  expect(lines[0]).toMatchObject({ level: 'info', fields: { event: 'reload', added: 1, removed: 2, kept: 3 } });
  await reload(gateway, inForce, () => load('relay: [{ push: live/*, to: rtmp://h/a/b }]').config, log);
  expect(rules).toHaveLength(1);
});

test('an authority that relays trust is read again, even if its file has the same name', async () => {
  const { log, rules, gateway } = setUp();
  const withCa = (pem: string) => {
    const { config } = load('relay: [{ push: live/*, to: rtmps://h/a/b }]');
    return { ...config, relay: config.relay.map((rule) => ({ ...rule, ca: [pem] })) };
  };
  await reload(gateway, withCa('old'), () => withCa('new'), log);
  expect(rules).toHaveLength(1);
});
