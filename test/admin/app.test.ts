import { afterEach, describe, expect, it } from 'vitest';
import { AdminServer, type AdminOptions } from '../../src/admin/index.ts';
import { Hub } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { Relays } from '../../src/relay/index.ts';
import { makeTestCertificate } from '../support/certificate.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(options: Partial<AdminOptions> = {}) {
  const relays = new Relays([{ push: 'live/*', to: 'rtmp://h/app/secretkey' }], { hub: new Hub() });
  const server = new AdminServer({ host: '127.0.0.1', port: 0, token: null, ...options }, { relays, log: NO_LOG });
  const port = await server.start();
  stops.push(() => server.stop());
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = { 'Content-Type': 'application/json', Connection: 'close' };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...type, ...headers },
      ...json,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { ask, relays, port };
}

describe('relays', () => {
  it('are listed, without keys', async () => {
    const { ask } = await serve();
    const { status, body } = await ask('GET', '/api/v1/relays');
    expect([status, body]).toEqual([
      200,
      {
        relays: [
          { id: 'r1', origin: 'config', kind: 'push', match: 'live/*', servers: ['rtmp://h/app/secr…'], links: [] },
        ],
      },
    ]);
    expect((await ask('GET', '/api/v1/relays/r1')).body).toMatchObject({ id: 'r1' });
    expect((await ask('GET', '/api/v1/relays/r9')).status).toBe(404);
  });

  it('are added and removed', async () => {
    const { ask, relays } = await serve();
    const added = await ask('POST', '/api/v1/relays', { pull: 'cdn/*', from: ['rtmp://o/live/{stream}'], idleMs: 5 });
    expect([added.status, added.body, added.headers.get('location')]).toEqual([201, { id: 'r2' }, '/api/v1/relays/r2']);
    expect(relays.list()[1]).toMatchObject({ kind: 'pull', match: 'cdn/*' });
    expect((await ask('DELETE', '/api/v1/relays/r2')).status).toBe(204);
    expect((await ask('DELETE', '/api/v1/relays/r2')).status).toBe(404);
    expect(relays.list()).toHaveLength(1);
  });

  it('take how to get there', async () => {
    const { ask, relays } = await serve();
    const rule = {
      ...{ push: 'live/*', to: 'rtmps://user:geheim@h/a/b', codecs: 'h264', verify: false, serverName: 'name' },
      ...{ proxy: 'socks5h://me:geheim@proxy', ca: (await makeTestCertificate()).cert },
    };
    expect((await ask('POST', '/api/v1/relays', rule)).status).toBe(201);
    expect(relays.list()[1]).toMatchObject({
      proxy: 'socks5h://proxy:1080',
      origin: 'api',
      servers: ['rtmps://h/a/b'],
    });
    expect(JSON.stringify((await ask('GET', '/api/v1/relays')).body)).not.toContain('geheim');
  });

  it.each([
    [[], 'expected an object'],
    [{}, 'pull: expected a pattern'],
    [{ push: 'live/*' }, 'to: expected a URL'],
    [{ push: 'live/*', to: [] }, 'to: expected a URL'],
    [{ push: 'live/*', to: Array.from({ length: 33 }, () => 'rtmp://h/a/b') }, 'a list of 32'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', from: 'x' }, 'from is no key of a push rule'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', verify: 'no' }, 'verify: expected'],
    [{ push: 'live/a**', to: 'rtmp://h/a/b' }, '** beside other text'],
    [{ push: 'live/*', to: 'http://geheim/a/b' }, 'expected a URL that begins with rtmp'],
    [{ pull: 'live/*', from: 'rtmp://h/a/b', idleMs: -1 }, 'idleMs: expected'],
    [{ pull: 'live/*', from: 'rtmp://h/a/b', codecs: ['h264'] }, 'codecs is no key of a pull rule'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', codecs: [1] }, 'codecs: expected a list'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', codecs: ['geheim'] }, 'codecs has a name that is not known'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', proxy: 'http://geheim@proxy' }, 'a user needs a password'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', proxy: 1 }, 'proxy: expected text'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', ca: '/etc/ca.pem' }, 'ca: expected certificates as PEM'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', ca: 'x'.repeat(32 * 1024 + 1) }, 'ca: expected certificates as PEM, or'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', serverName: 'a b' }, 'serverName: expected the name of a server'],
    [{ push: 'live/*', to: 'rtmp://h/a/b', user: 'u' }, 'user and password belong together'],
  ])('%j is refused in words', async (rule, reason) => {
    const { ask, relays } = await serve();
    const { status, body } = await ask('POST', '/api/v1/relays', rule);
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(reason)]);
    expect([JSON.stringify(body).includes('geheim'), relays.list().length]).toEqual([false, 1]);
  });

  it('are a thousand at most', async () => {
    const { ask, relays } = await serve();
    for (let i = 1; i < 999; i++) relays.add({ push: `live/${i}`, to: 'rtmp://h/a/b' });
    expect((await ask('POST', '/api/v1/relays', { push: 'live/last', to: 'rtmp://h/a/b' })).status).toBe(201);
    const { status, body } = await ask('POST', '/api/v1/relays', { push: 'live/more', to: 'rtmp://h/a/b' });
    expect([status, body.error.code]).toEqual([409, 'TOO_MANY_RULES']);
  });

  it('take JSON only, of a moderate size, and no other methods', async () => {
    const { ask } = await serve();
    const plain = { 'Content-Type': 'text/plain' };
    expect((await ask('POST', '/api/v1/relays', { pull: 'a/*', from: 'rtmp://o/a/b' }, plain)).status).toBe(415);
    expect((await ask('POST', '/api/v1/relays', { push: 'x'.repeat(90_000) })).status).toBe(413);
    const put = await ask('PUT', '/api/v1/relays', {});
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect((await ask('GET', '/elsewhere')).status).toBe(404);
  });
});

describe('who may ask', () => {
  it('with a token: whoever brings it', async () => {
    const { ask } = await serve({ token: 'sesame' });
    const status = async (authorization?: string) =>
      (await ask('GET', '/api/v1/relays', undefined, authorization === undefined ? {} : { authorization })).status;
    expect(await Promise.all([status(), status('Bearer sesam'), status('Bearer '), status('Basic sesame')])).toEqual(
      Array.from({ length: 4 }, () => 401),
    );
    expect(await status('Bearer sesame')).toBe(200);
  });

  it('without one: who calls this machine by its own names, and no page that lent its name our address', async () => {
    const { port } = await serve();
    const { request } = await import('node:http');
    const statusFor = (host: string) =>
      new Promise<number>((resolve) => {
        const options = { host: '127.0.0.1', port, path: '/api/v1/relays', headers: { host, connection: 'close' } };
        request(options, (response) => resolve((response.resume(), response.statusCode!))).end();
      });
    expect(await Promise.all(['localhost', `127.0.0.1:${port}`, '[::1]:1'].map(statusFor))).toEqual([200, 200, 200]);
    expect(await Promise.all(['evil.example', 'localhost.evil.example', '10.0.0.1'].map(statusFor))).toEqual([
      403, 403, 403,
    ]);
  });
});

it('a port that is taken is a matter of configuration', async () => {
  const { port } = await serve();
  const second = new AdminServer(
    { host: '127.0.0.1', port, token: null },
    { relays: new Relays([], { hub: new Hub() }), log: NO_LOG },
  );
  await expect(second.start()).rejects.toMatchObject({ code: 'CANNOT_LISTEN' });
});
