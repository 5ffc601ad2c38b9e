import { Script } from 'node:vm';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WATCH_POLICY, watchPage } from '../../src/web/watch-page.ts';
import { watchRouter } from '../../src/web/watch-router.ts';
import { WATCH_SCRIPT } from '../../src/web/watch-script.ts';

describe('the page to watch', () => {
  it('names the playlist by the path of the stream, whatever is in it', () => {
    const page = watchPage(['live', 'a b', '"><script>alert(1)</script>']);
    expect(page).toContain('data-source="/hls/live/a%20b/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E/index.m3u8"');
    expect(page).not.toContain('<script>alert');
  });

  it('lets exactly its own style and the scripts of this origin through', () => {
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(watchPage(['a'])) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(WATCH_POLICY).toContain(`style-src 'sha256-${hash}'`);
    expect(WATCH_POLICY).toMatch(
      /^default-src 'none'; .*script-src 'self'; connect-src 'self'; media-src 'self' blob: data:/,
    );
    expect(WATCH_POLICY).not.toMatch(/unsafe|\*|https?:/);
  });

  it('has every element that the script asks for, each with a name', () => {
    const page = watchPage(['a']);
    const ids = [...WATCH_SCRIPT.matchAll(/(?:getElementById|show)\('(\w+)'/g)].map(([, id]) => id!);
    expect(ids.length).toBeGreaterThan(8);
    for (const id of ids) expect(page).toContain(`id="${id}"`);
    expect(page).toMatch(/<video [^>]*aria-label="Live stream a"/);
    expect(page).toContain('role="status"');
  });

  it('runs a script that is one', () => {
    expect(() => new Script(WATCH_SCRIPT)).not.toThrow();
  });
});

describe('the router of the page to watch', () => {
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer(express().use(watchRouter()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => void server.close());

  it('serves the page with its own policy', async () => {
    const response = await fetch(`${base}/watch/live/one`);
    expect(response.headers.get('content-security-policy')).toBe(WATCH_POLICY);
    expect(await response.text()).toContain('/hls/live/one/index.m3u8');
  });

  it('serves hls.js and the script from here', async () => {
    expect(await (await fetch(`${base}/assets/hls.js`)).text()).toContain('Hls');
    expect(await (await fetch(`${base}/assets/watch.js`)).text()).toBe(WATCH_SCRIPT);
  });

  it('has no page for no stream', async () => {
    expect((await fetch(`${base}/watch/`)).status).toBe(404);
  });
});
