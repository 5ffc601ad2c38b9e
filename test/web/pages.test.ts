import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { crossdomainPolicy, homePage, statusPage } from '../../src/web/pages.ts';
import { CONTENT_SECURITY_POLICY } from '../../src/web/style.ts';

const ADDRESSES = [
  { scheme: 'rtmp', origin: 'rtmp://h:1935', about: 'plain' },
  { scheme: 'rtmps', origin: 'rtmps://h:8443', about: 'in TLS' },
] as const;

const PLAIN_TUNNEL = { scheme: 'rtmpt', origin: 'rtmpt://h:8080', about: 'tunnelled' } as const;

test('shows every address, and one command each to publish and to play', () => {
  const page = homePage(ADDRESSES, true);
  for (const { origin } of ADDRESSES) expect(page).toContain(`<td><code>${origin}/live/stream</code></td>`);
  expect(page.match(/ffmpeg [^<]*&quot;[^<]*&quot;/g)).toEqual([expect.stringContaining('rtmp://h:1935/live/stream')]);
  expect(page.match(/ffplay &quot;[^<]*&quot;/g)).toEqual(['ffplay &quot;rtmp://h:1935/live/stream&quot;']);
});

test('names for OBS only the servers that OBS can publish to', () => {
  const page = homePage([...ADDRESSES, PLAIN_TUNNEL], true);
  expect(page.match(/<li><code>.*<\/code><\/li>/g)).toEqual([
    '<li><code>rtmp://h:1935/live</code></li>',
    '<li><code>rtmps://h:8443/live</code></li>',
  ]);
  expect(homePage([PLAIN_TUNNEL], true)).not.toContain('Custom…');
});

test('speaks of certificates only where OBS would want one', () => {
  expect(homePage(ADDRESSES, true)).toContain('certificates');
  expect(homePage(ADDRESSES.slice(0, 1), true)).not.toContain('certificates');
});

test('leads to the page that plays, where there is one', () => {
  expect(homePage(ADDRESSES, true)).toContain('<a href="/watch/live/stream">');
  expect(homePage(ADDRESSES, false)).not.toMatch(/watch|hls|browser/i);
});

test('says so when no media address is open', () => {
  expect(homePage([], true)).toContain('No media address is open.');
});

test('escapes what an address brings', () => {
  const page = homePage([{ scheme: 'rtmp', origin: 'rtmp://<script>', about: '<b>' }], true);
  expect(page).not.toContain('<script>');
  expect(page).not.toContain('<b>');
});

test('loads nothing from anywhere, and its one style is the one that the policy lets through', () => {
  const page = homePage(ADDRESSES, true);
  expect(page).not.toMatch(/<script|<img|url\(|@import|https?:\/\//);
  const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(CONTENT_SECURITY_POLICY).toContain(`style-src 'sha256-${hash}'`);
  expect(CONTENT_SECURITY_POLICY).toContain("default-src 'none'");
});

test('has a language, a title, one main part and one first heading', () => {
  for (const page of [homePage(ADDRESSES, true), statusPage(404, 'Not Found')]) {
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).toMatch(/<title>[^<]+<\/title>/);
    expect(page.match(/<main>|<h1>/g)).toEqual(['<main>', '<h1>']);
  }
});

test('writes a Flash policy', () => {
  expect(crossdomainPolicy(['*.example.com', 'a"b'])).toBe(`<?xml version="1.0"?>
<!DOCTYPE cross-domain-policy SYSTEM "http://www.adobe.com/xml/dtds/cross-domain-policy.dtd">
<cross-domain-policy>
  <allow-access-from domain="*.example.com" secure="false"/>
  <allow-access-from domain="a&quot;b" secure="false"/>
</cross-domain-policy>
`);
});
