import type { MediaAddress } from './addresses.ts';
import { Html, markup } from './html.ts';
import { STYLE } from './style.ts';

/** Example names: any others do. */
const APP = 'live';
const STREAM = 'stream';

/** The page at `/`: what this is, and how to publish and play here. `watchable`: streams can be watched on pages of this server. */
export function homePage(addresses: readonly MediaAddress[], watchable: boolean): string {
  return page(
    'rtmp-gateway',
    markup`<h1>rtmp-gateway</h1>
<p class="lead">A live stream that is published over any of these addresses plays over all of them${watchable ? ', and in the browser' : ''}.</p>
${addresses.length === 0 ? markup`<p>No media address is open.</p>` : guide(addresses, watchable)}
<p class="note"><a href="/healthz">Health of this gateway</a></p>`,
  );
}

/** A page for what went wrong. */
export function statusPage(status: number, reason: string): string {
  return page(
    `${status} ${reason}`,
    markup`<h1>${status} ${reason}</h1>
<p><a href="/">What this is, and how to publish and play here</a></p>`,
  );
}

/** The policy by which Flash lets pages of other sites connect (Adobe's cross-domain policy file, version 1.0). */
export function crossdomainPolicy(domains: readonly string[]): string {
  const rules = domains.map((domain) => markup`  <allow-access-from domain="${domain}" secure="false"/>\n`);
  return markup`<?xml version="1.0"?>
<!DOCTYPE cross-domain-policy SYSTEM "http://www.adobe.com/xml/dtds/cross-domain-policy.dtd">
<cross-domain-policy>
${rules}</cross-domain-policy>
`.text;
}

function page(title: string, content: Html): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`.text;
}

function guide(addresses: readonly MediaAddress[], watchable: boolean): Html {
  const [{ origin }] = addresses as readonly [MediaAddress];
  const url = `${origin}/${APP}/${STREAM}`;
  const others = addresses.length > 1 ? markup`<p>The other addresses do as well.</p>\n` : '';
  return markup`${addressTable(addresses)}
<p>Put your own names for <code>${APP}</code> (the application) and <code>${STREAM}</code> (the stream).</p>
<h2>Publish</h2>
${publishWithObs(addresses)}<h3>With an app on a phone</h3>
<p>Most have one field for the whole address: <code>${url}</code>. Some ask for server and stream key apart, as OBS does.</p>
<h3>With ffmpeg</h3>
${commandLine('publish', `ffmpeg -re -i video.mp4 -c:v libx264 -g 60 -c:a aac -f flv "${url}"`)}
${others}<h2>Play</h2>
${watchable ? playInBrowser() : ''}<h3>With ffplay</h3>
${commandLine('play', `ffplay "${url}"`)}
${others}<h3>With OBS</h3>
<p>Add a “Media Source”, clear “Local File”, and write one of the addresses into “Input”.</p>`;
}

function playInBrowser(): Html {
  return markup`<h3>In a browser</h3>
<p><a href="/watch/${APP}/${STREAM}">/watch/${APP}/${STREAM}</a> on this server is a page that plays the stream.
Players that know HLS open <code>/hls/${APP}/${STREAM}/index.m3u8</code>.</p>
`;
}

/** OBS publishes over RTMP and RTMPS; its own RTMPT freezes. */
function publishWithObs(addresses: readonly MediaAddress[]): Html | '' {
  const suitable = addresses.filter(({ scheme }) => scheme === 'rtmp' || scheme === 'rtmps');
  if (suitable.length === 0) return '';
  return markup`<h3>With OBS</h3>
<p>In Settings, Stream, choose the service “Custom…”. In Settings, Output, set the keyframe interval to 2 s: players
begin at keyframes. The stream key is <code>${STREAM}</code>, the server:</p>
<ul>
${suitable.map(({ origin }) => markup`<li><code>${origin}/${APP}</code></li>\n`)}</ul>
${suitable.some(({ scheme }) => scheme === 'rtmps') ? certificateNote() : ''}`;
}

function addressTable(addresses: readonly MediaAddress[]): Html {
  const row = ({ origin, about }: MediaAddress) =>
    markup`<tr><td><code>${origin}/${APP}/${STREAM}</code></td><td>${about}</td></tr>\n`;
  return markup`<h2 id="addresses">Addresses</h2>
<table aria-labelledby="addresses">
<thead><tr><th scope="col">Address</th><th scope="col">What it is</th></tr></thead>
<tbody>
${addresses.map(row)}</tbody>
</table>`;
}

function commandLine(purpose: string, line: string): Html {
  return markup`<pre tabindex="0" role="group" aria-label="Command to ${purpose}"><code>${line}</code></pre>`;
}

function certificateNote(): Html {
  return markup`<p class="note">OBS verifies certificates: for <code>rtmps</code> it wants one from an authority that its
computer trusts, made out for the host name in the address. ffmpeg does not verify unless it is told to.</p>\n`;
}
