import { createHash } from 'node:crypto';
import { Html, markup } from './html.ts';
import { STYLE } from './style.ts';

/** What the page to watch has beyond the others' style. */
const WATCH_STYLE = `
.watch { max-width: 72rem; padding-top: 1.5rem; }
.watch h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
.screen { position: relative; margin: 1rem 0; aspect-ratio: 16 / 9; max-height: 75vh; width: 100%; background: #000; border-radius: .5rem; overflow: hidden; }
.screen video { display: block; width: 100%; height: 100%; }
.screen video:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px; }
.state { display: flex; align-items: center; gap: .6rem; margin: 0; min-height: 2.75rem; }
.dot { flex: none; width: .7rem; height: .7rem; border-radius: 50%; background: var(--soft); }
[data-state=live] .dot { background: #d3222f; }
[data-state=waiting] .dot { background: #b7791f; }
.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; }
button { font: inherit; min-height: 2.75rem; padding: .4rem 1rem; color: var(--text); background: var(--panel); border: 1px solid var(--soft); border-radius: .4rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button[hidden] { display: none; }
.facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .75rem; margin: 1rem 0; }
.facts div { padding: .6rem .8rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; }
.facts dt { color: var(--soft); font-size: .85rem; }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
@media (max-width: 40rem) { .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
`;

const SHEET = STYLE + WATCH_STYLE;

/** Scripts and media of this origin alone; the player hands its media to the browser as `blob:`. */
export const WATCH_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(SHEET).digest('base64')}'`,
  "script-src 'self'",
  "connect-src 'self'",
  // data: is the empty text track that hls.js puts a stream's timed metadata into.
  "media-src 'self' blob: data:",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FACTS: readonly { readonly id: string; readonly title: string }[] = [
  { id: 'latency', title: 'Behind live' },
  { id: 'buffer', title: 'Buffered' },
  { id: 'bitrate', title: 'Bitrate' },
  { id: 'size', title: 'Picture' },
  { id: 'codec', title: 'Codecs' },
  { id: 'dropped', title: 'Dropped pictures' },
];

/** The page at `/watch/APP/STREAM`. `names`: the pieces of the stream's path, decoded. */
export function watchPage(names: readonly string[]): string {
  const source = `/hls/${names.map(encodeURIComponent).join('/')}/index.m3u8`;
  const title = names.join('/');
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – rtmp-gateway</title>
<link rel="icon" href="data:,">
<style>${new Html(SHEET)}</style>
<script src="/assets/hls.js" defer></script>
<script src="/assets/watch.js" defer></script>
</head>
<body>
<main class="watch" data-source="${source}" data-state="starting">
<h1>${title}</h1>
<div class="screen"><video id="video" controls muted autoplay playsinline aria-label="Live stream ${title}"></video></div>
<div class="bar">
<p class="state" role="status"><span class="dot" aria-hidden="true"></span><span id="state">Connecting…</span></p>
<div><button type="button" id="sound">Sound on</button>
<button type="button" id="edge" hidden>Go to live</button></div>
</div>
<dl class="facts" aria-label="About this stream">
${FACTS.map(({ id, title: name }) => markup`<div><dt>${name}</dt><dd id="${id}">–</dd></div>\n`)}</dl>
<noscript><p>This page needs JavaScript. Players that know HLS can open <code>${source}</code>.</p></noscript>
<p class="note"><a href="/">What this is, and how to publish and play here</a></p>
</main>
</body>
</html>
`.text;
}
