import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, expect, test } from 'vitest';
import { NO_LOG } from '../../src/log.ts';
import { createWebApp } from '../../src/web/app.ts';
import type { WebAppDependencies, WebAppOptions } from '../../src/web/app.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Setup extends Partial<WebAppDependencies>, Partial<WebAppOptions> {}

async function serve(setup: Setup = {}) {
  const { crossdomain = null, ...rest } = setup;
  const doors = () => [{ port: 1935, protocols: ['rtmp', 'rtmpt', 'web'], behindProxy: false }];
  const deps = { tunnels: express.Router(), draining: () => false, doors, log: NO_LOG, ...rest };
  const server = createServer({ requireHostHeader: false }, createWebApp({ crossdomain }, deps));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return (path: string, method = 'GET', headers: Record<string, string> = {}, body = '') =>
    ask({ path, method, headers, port, host: '127.0.0.1' }, body);
}

async function ask(
  options: object,
  body: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const sent = request(options);
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

test('serves the page at / with the host that the visitor used', async () => {
  const get = await serve();
  const { status, headers, text } = await get('/', 'GET', { host: 'media.example.com:1935' });
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(text).toContain('rtmp://media.example.com:1935/live/stream');
  expect(text).toContain('rtmpt://media.example.com:1935/live/stream');
  expect(text).not.toContain('rtmps://');
});

test('shows the local address to a visitor whose Host header is no host', async () => {
  const get = await serve();
  const { text } = await get('/', 'GET', { host: '"><script>alert(1)</script>' });
  expect(text).toContain('rtmp://127.0.0.1:1935/live/stream');
  expect(text).not.toContain('alert(1)');
});

test('knows from a proxy in front that the visitor came by HTTPS', async () => {
  const doors = () => [{ port: 1, protocols: ['rtmpt', 'rtmpts'], behindProxy: false }];
  const get = await serve({ doors });
  const { text } = await get('/', 'GET', { host: 'example.com', 'x-forwarded-proto': 'https' });
  expect(text).toContain('rtmpts://example.com:443/live');
});

test('is healthy until it drains', async () => {
  let draining = false;
  const get = await serve({ draining: () => draining });
  expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok' });
  draining = true;
  expect(await get('/healthz')).toMatchObject({ status: 503, text: 'draining' });
});

test('has no Flash policy unless one is configured', async () => {
  expect((await (await serve())('/crossdomain.xml')).status).toBe(404);
  const { status, headers, text } = await (await serve({ crossdomain: ['*'] }))('/crossdomain.xml');
  expect(status).toBe(200);
  expect(headers['content-type']).toContain('text/x-cross-domain-policy');
  expect(text).toContain('<allow-access-from domain="*" secure="false"/>');
});

test('sends security headers with every page, and no word about what serves it', async () => {
  const get = await serve();
  for (const path of ['/', '/healthz', '/nothing/here']) {
    const { headers } = await get(path);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['etag']).toBeUndefined();
  }
});

test('answers an unknown path with a plain page that does not repeat it', async () => {
  const { status, text } = await (await serve())('/no/such-page');
  expect(status).toBe(404);
  expect(text).toContain('404 Not Found');
  expect(text).not.toContain('such-page');
});

test('answers HEAD without a body and refuses other methods by name', async () => {
  const get = await serve();
  expect(await get('/healthz', 'HEAD')).toMatchObject({ status: 200, text: '' });
  const refused = await get('/', 'DELETE');
  expect(refused.status).toBe(405);
  expect(refused.headers.allow).toBe('GET, HEAD');
});

test('serves an absolute request target, as it comes through an intercepting proxy', async () => {
  expect((await (await serve())('http://example.com/healthz')).text).toBe('ok');
});

test('ends the connection after a request whose body nobody reads', async () => {
  const get = await serve();
  expect((await get('/nothing', 'POST', { 'content-length': '5' }, 'hello')).headers.connection).toBe('close');
  expect((await get('/nothing', 'POST', { 'content-length': '0', connection: 'keep-alive' })).headers.connection).toBe(
    'keep-alive',
  );
});

test('gives the tunnel its requests before any header is set', async () => {
  const tunnels = express.Router();
  tunnels.post('/idle/x/1', (_, response) => {
    response.sendDate = false;
    response
      .writeHead(200, { 'Content-Type': 'application/x-fcs', Connection: 'Keep-Alive', 'Content-Length': 1 })
      .end('\x01');
  });
  const { headers, text } = await (await serve({ tunnels }))('/idle/x/1', 'POST');
  expect(text).toBe('\x01');
  expect(Object.keys(headers)).toEqual(['content-type', 'connection', 'content-length']);
});

test('keeps to what the door of a request allows', async () => {
  const tunnels = express.Router().use((_, response) => void response.send('tunnel'));
  const webOnly = await serve({ tunnels, accessOf: () => ({ tunnel: false, web: true }) });
  expect((await webOnly('/healthz')).text).toBe('ok');
  const nothing = await serve({ tunnels, accessOf: () => ({ tunnel: false, web: false }) });
  expect((await nothing('/healthz')).status).toBe(404);
  const tunnelOnly = await serve({ tunnels, accessOf: () => ({ tunnel: true, web: false }) });
  expect((await tunnelOnly('/healthz')).text).toBe('tunnel');
});

test('tells the client nothing of our own faults, but logs them', async () => {
  const logged: object[] = [];
  const log = { ...NO_LOG, error: (fields: object) => void logged.push(fields) };
  const fault = new Error('secret detail');
  const tunnels = express.Router().use(() => {
    throw fault;
  });
  const { status, text } = await (await serve({ tunnels, log }))('/');
  expect(status).toBe(500);
  expect(text).not.toContain('secret');
  expect(logged).toEqual([{ err: fault, method: 'GET' }]);
});

test("takes a client's fault for what it is, and logs nothing", async () => {
  const logged: object[] = [];
  const log = { ...NO_LOG, error: (fields: object) => void logged.push(fields) };
  const tunnels = express.Router();
  tunnels.get('/thing/:name', (_, response) => void response.end());
  const { status } = await (await serve({ tunnels, log }))('/thing/%ff');
  expect(status).toBe(400);
  expect(logged).toEqual([]);
});

test('cuts an answer short that fails half-way', async () => {
  const tunnels = express.Router().use((_, response) => {
    response.writeHead(200, { 'Content-Length': 10 }).write('half');
    throw new Error('broken');
  });
  await expect((await serve({ tunnels }))('/')).rejects.toThrow(/aborted|hang up/);
});
