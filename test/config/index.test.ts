import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DEFAULT_FILE, loadConfig } from '../../src/config/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { load } from '../support/config-file.ts';

const before = process.cwd();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-cwd-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const quiet = { env: {}, terminal: false };

test('reads the default file when it is there, and does without when it is not', () => {
  expect(loadConfig(quiet)).toMatchObject({ file: undefined, config: { log: { level: 'info' } } });
  writeFileSync(DEFAULT_FILE, 'log: { level: warn }');
  expect(loadConfig(quiet)).toMatchObject({ file: DEFAULT_FILE, config: { log: { level: 'warn' } } });
});

test('a file that was asked for must be there, whatever the default file says', () => {
  writeFileSync(DEFAULT_FILE, '');
  expect(() => loadConfig({ ...quiet, file: 'other.yaml' })).toThrow(ConfigError);
  expect(() => loadConfig({ ...quiet, file: 'other.yaml' })).toThrow('other.yaml: there is no such file');
});

test('names file, line, path and reason', () => {
  writeFileSync(DEFAULT_FILE, 'listen:\n  - { port: 1935 }\n  - { port: http }\n');
  expect(() => loadConfig(quiet)).toThrow('rtmp-gateway.yaml:3: listen[1].port: expected 0–65535, got "http"');
});

test('logs are for people on a terminal, unless the file says otherwise', () => {
  expect(loadConfig({ ...quiet, terminal: true }).config.log.format).toBe('pretty');
  writeFileSync(DEFAULT_FILE, 'log: { format: json }');
  expect(loadConfig({ ...quiet, terminal: true }).config.log.format).toBe('json');
});

test('the effective configuration read again is the same configuration', () => {
  const file =
    'listen: [{ port: off }, { host: "::1", port: 2, protocols: [web], tls: { maxVersion: TLSv1.2 } }]\ncore: { grace: 90s }';
  const first = load(file, { 'log-level': 'error' });
  const second = load(first.effective);
  expect(second.config).toEqual(first.config);
  expect(second.effective).toBe(first.effective);
});

test('the effective configuration shows no secret and nothing of later versions', () => {
  const { effective } = load(
    'tls: { certificates: [{ pfx: a, passphrase: hunter2 }] }\nhls: { enabled: false }\nadmin: {}',
  );
  expect(effective).not.toContain('hunter2');
  expect(parse(effective)).toMatchObject({ tls: { certificates: [{ pfx: 'a', passphrase: '[redacted]' }] } });
  expect(Object.keys(parse(effective) as object)).toEqual([
    'listen',
    'core',
    'tunnel',
    'tls',
    'trustedProxies',
    'limits',
    'relay',
    'hls',
    'record',
    'admin',
    'web',
    'log',
  ]);
});
