import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACME_LIMITS, AcmeChallenges } from '../../src/web/acme.ts';
import { createWebApp } from '../../src/web/app.ts';
import { asNobody } from '../support/nobody.ts';
import { recordingLog } from '../support/recording-log.ts';

/** As in RFC 8555, 8.3. */
const TOKEN = 'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0';
const AUTHORIZATION = `${TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`;

let webroot: string;
let folder: string;

beforeEach(async () => {
  webroot = await mkdtemp(join(tmpdir(), 'rtmp-gateway-webroot-'));
  folder = join(webroot, '.well-known/acme-challenge');
  await mkdir(folder, { recursive: true });
});

afterEach(() => rm(webroot, { recursive: true, force: true }));

describe('AcmeChallenges', () => {
  function reader(root = webroot) {
    const { log, lines } = recordingLog();
    const challenges = new AcmeChallenges(root, log);
    const answer = async (token: string) => (await challenges.answer(token))?.toString();
    return { answer, lines };
  }

  test('gives what an ACME client wrote below the webroot, and says so', async () => {
    await writeFile(join(folder, TOKEN), AUTHORIZATION);
    const { answer, lines } = reader();
    expect(await answer(TOKEN)).toBe(AUTHORIZATION);
    expect(lines).toEqual([expect.objectContaining({ level: 'info', fields: { event: 'acme', challenge: TOKEN } })]);
  });

  test('follows a webroot that is a link, as /var/www often is', async () => {
    await writeFile(join(folder, TOKEN), AUTHORIZATION);
    const link = `${webroot}-link`;
    await symlink(webroot, link);
    expect(await reader(link).answer(TOKEN)).toBe(AUTHORIZATION);
    await rm(link);
  });

  test('has no words for a token that nobody wrote: scanners ask for those all day', async () => {
    const { answer, lines } = reader();
    expect(await answer(TOKEN)).toBeUndefined();
    expect(await reader(join(webroot, 'not-there')).answer(TOKEN)).toBeUndefined();
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
  });

  test.each(['', '.', '..', '.hidden', 'a/b', 'a.b', '../token', 'a\0', 'a b', 'a%2e', 'ä', 'a'.repeat(129)])(
    'looks for nothing called %j',
    async (token) => {
      const { answer, lines } = reader();
      if (!/[\0/]|^\.{0,2}$/.test(token)) await writeFile(join(folder, token), 'secret');
      expect(await answer(token)).toBeUndefined();
      expect(lines).toEqual([]);
    },
  );

  test('takes tokens of up to 128 characters', async () => {
    const token = 'a'.repeat(128);
    await writeFile(join(folder, token), 'x');
    expect(await reader().answer(token)).toBe('x');
  });

  test('serves no file through a link out of the webroot, nor one within it', async () => {
    await writeFile(join(webroot, 'secret'), 'secret');
    await symlink('/etc/hostname', join(folder, 'outside'));
    await symlink('../../secret', join(folder, 'inside'));
    const { answer, lines } = reader();
    expect([await answer('outside'), await answer('inside')]).toEqual([undefined, undefined]);
    expect(lines.map(({ level, message }) => [level, message.endsWith('is a link')])).toEqual([
      ['warn', true],
      ['warn', true],
    ]);
  });

  test('serves nothing when a folder on the way is a link', async () => {
    const other = await mkdtemp(join(tmpdir(), 'rtmp-gateway-other-'));
    await writeFile(join(other, TOKEN), 'secret');
    await rm(folder, { recursive: true });
    await symlink(other, folder);
    expect(await reader().answer(TOKEN)).toBeUndefined();
    await rm(other, { recursive: true });
  });

  test('serves no folder', async () => {
    await mkdir(join(folder, 'folder'));
    const { answer, lines } = reader();
    expect(await answer('folder')).toBeUndefined();
    expect(lines[0]?.message).toContain('not a plain file');
  });

  test.skipIf(process.platform === 'win32')('does not wait for a named pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const { answer, lines } = reader();
    expect(await answer('pipe')).toBeUndefined();
    expect(lines[0]?.message).toContain('not a plain file');
  });

  test('serves files up to the limit and none beyond', async () => {
    await writeFile(join(folder, 'full'), 'x'.repeat(ACME_LIMITS.maxFileBytes));
    await writeFile(join(folder, 'over'), 'x'.repeat(ACME_LIMITS.maxFileBytes + 1));
    await writeFile(join(folder, 'empty'), '');
    const { answer } = reader();
    expect((await answer('full'))?.length).toBe(ACME_LIMITS.maxFileBytes);
    expect(await answer('over')).toBeUndefined();
    expect(await answer('empty')).toBe('');
  });

  test.skipIf(process.platform === 'win32')('tells the operator of a file that it may not read', async () => {
    await writeFile(join(folder, TOKEN), AUTHORIZATION);
    await chmod(webroot, 0o755);
    await chmod(join(folder, TOKEN), 0o000);
    const { answer, lines } = reader();
    expect(await asNobody(() => answer(TOKEN))).toBeUndefined();
    expect(lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('may not read it') });
  });
});

describe('GET /.well-known/acme-challenge/', () => {
  const stops: Array<() => void> = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  /** Asks as a certificate authority does: by plain HTTP, and the path as it is written here. */
  async function authority(setup: { draining?: boolean; web?: boolean; acmeWebroot?: string | null } = {}) {
    const { draining = false, web = true, acmeWebroot = webroot } = setup;
    const app = createWebApp(
      { crossdomain: null, acmeWebroot },
      {
        tunnels: express.Router(),
        draining: () => draining,
        doors: () => [],
        log: recordingLog().log,
        accessOf: () => ({ tunnel: true, web }),
      },
    );
    const server = createServer(app).listen(0, '127.0.0.1');
    stops.push(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return async (path: string, method = 'GET') => {
      const sent = request({ host: '127.0.0.1', port, path, method }).end();
      const [response] = await once(sent, 'response');
      let text = '';
      for await (const chunk of response) text += chunk;
      return { status: response.statusCode as number, type: String(response.headers['content-type']), text };
    };
  }

  const path = `/.well-known/acme-challenge/${TOKEN}`;

  test('answers with the file as plain text, whatever asks afterwards', async () => {
    await writeFile(join(folder, TOKEN), AUTHORIZATION);
    const ask = await authority();
    for (const query of ['', '?', '?from=elsewhere']) {
      expect(await ask(path + query)).toEqual({ status: 200, type: 'text/plain; charset=utf-8', text: AUTHORIZATION });
    }
    expect(await ask(path, 'HEAD')).toMatchObject({ status: 200, text: '' });
    expect(await ask(path, 'POST')).toMatchObject({ status: 405 });
  });

  test('answers while the gateway drains', async () => {
    await writeFile(join(folder, TOKEN), AUTHORIZATION);
    const ask = await authority({ draining: true });
    expect(await ask('/healthz')).toMatchObject({ status: 503 });
    expect(await ask(path)).toMatchObject({ status: 200, text: AUTHORIZATION });
  });

  test('takes a token as it comes, written plainly or with percent signs, and nothing else', async () => {
    await writeFile(join(webroot, 'secret'), 'secret');
    await writeFile(join(folder, 'a-b'), 'x');
    const ask = await authority();
    const base = '/.well-known/acme-challenge';
    expect(await ask(`${base}/a%2Db`)).toMatchObject({ status: 200, text: 'x' });
    const others = ['', '/', '/..', '/%2e%2e', '/../../secret', '/%2e%2e%2f%2e%2e%2fsecret', '/..%5c', '/a-b/x'];
    for (const rest of others) expect([rest, (await ask(base + rest)).status]).toEqual([rest, 404]);
    expect((await ask(`${base}/%ff`)).status).toBe(400);
    expect((await ask('/.well-known/')).status).toBe(404);
  });

  test('is not there on a door without web, nor without a webroot', async () => {
    await writeFile(join(folder, TOKEN), AUTHORIZATION);
    expect(await (await authority({ web: false }))(path)).toMatchObject({ status: 404 });
    expect(await (await authority({ acmeWebroot: null }))(path)).toMatchObject({ status: 404 });
  });

  test('does not tell where the webroot is', async () => {
    const { text } = await (await authority())(path);
    expect(text).not.toContain(await realpath(webroot));
    expect(text).not.toContain(TOKEN);
  });
});
