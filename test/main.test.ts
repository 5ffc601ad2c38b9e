import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './support/sources.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-main-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** The real program, in a process of its own. */
function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src/main.ts'), ...args], {
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: ROOT,
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text));
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, ...output }));
  const until = async (pattern: RegExp) => {
    for (;;) {
      const found = pattern.exec(output.out);
      if (found) return found;
      if (child.exitCode !== null) throw new Error(`ended before ${String(pattern)}: ${output.out}${output.err}`);
      await Promise.race([once(child.stdout, 'data'), ended]);
    }
  };
  return { child, ended, until };
}

describe.concurrent('the program', () => {
  test('serves until SIGTERM: prints addresses, logs ready, answers, and ends with status 0', async () => {
    const { child, ended, until } = start(
      '--rtmp',
      'off',
      '--http',
      '127.0.0.1:0',
      '--https',
      'off',
      '--certs',
      folder,
    );
    const [, port = ''] = await until(/ {2}http:\/\/127\.0\.0\.1:(\d+)\/\n/);
    const [ready = ''] = await until(/^\{.*"event":"ready".*$/m);
    expect(JSON.parse(ready)).toMatchObject({ ports: [Number(port)] });
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, 'ok']);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain(`rtmpt://127.0.0.1:${port}/live/stream`);
    child.kill('SIGHUP');
    await until(/"event":"reload"/);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 0, err: '' });
  });

  test('reads its rules for relays again at SIGHUP, and tells whoever asks where the first lines say', async () => {
    const file = join(folder, 'relays.yaml');
    const write = (...rules: string[]) =>
      writeFileSync(
        file,
        `admin: { listen: 0 }\nrelay: [${rules.map((rule) => `{ push: ${rule}, to: rtmp://h/a/b }`).join()}]\n`,
      );
    write('one/*', 'two/*');
    const doors = ['--rtmp', '127.0.0.1:0', '--http', 'off', '--https', 'off', '--certs', folder];
    const { child, ended, until } = start('--config', file, ...doors);
    const [, api = ''] = await until(/ {2}(http:\/\/127\.0\.0\.1:\d+\/api\/v1\/relays), for those who run it\n/);
    const rules = async () => {
      const { relays } = (await (await fetch(api)).json()) as { relays: { id: string; match: string }[] };
      return relays.map(({ id, match }) => `${id} ${match}`);
    };
    expect(await rules()).toEqual(['r1 one/*', 'r2 two/*']);
    write('two/*', 'three/*');
    child.kill('SIGHUP');
    await until(/"event":"reload","added":1,"removed":1,"kept":1/);
    expect(await rules()).toEqual(['r2 two/*', 'r3 three/*']);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 0, err: '' });
  });

  test('ends at once at a second signal, whoever is still connected', async () => {
    const { child, ended, until } = start(
      '--rtmp',
      '127.0.0.1:0',
      '--http',
      'off',
      '--https',
      'off',
      '--certs',
      folder,
    );
    const [, port = ''] = await until(/ {2}rtmp:\/\/127\.0\.0\.1:(\d+)\//);
    const client = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => {});
    // C0 and C1, and then it neither reads on nor leaves.
    client.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
    await once(client, 'data');
    client.pause();
    child.kill('SIGINT');
    await until(/"event":"stopping"/);
    child.kill('SIGINT');
    const { status } = await ended;
    client.destroy();
    expect(status).toBe(1);
  });

  test('a port in use is one clear line and status 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { status, err } = await start(
      '--rtmp',
      `127.0.0.1:${port}`,
      '--http',
      'off',
      '--https',
      'off',
      '--certs',
      folder,
    ).ended;
    taken.close();
    expect(status).toBe(1);
    expect(err).toMatch(
      new RegExp(`^rtmp-gateway: cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use; [^\n]+\n$`),
    );
  });

  test('wrong usage is status 2, and the version is the one of the package', async () => {
    const [wrong, version] = await Promise.all([start('--rtpm', '1').ended, start('--version').ended]);
    expect(wrong).toMatchObject({ status: 2, out: '', err: expect.stringContaining('did you mean "--rtmp"?') });
    const { version: expected } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(version).toEqual({ status: 0, out: `${expected}\n`, err: '' });
  });
});
