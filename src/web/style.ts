import { createHash } from 'node:crypto';

/** The pages' only style sheet, in the page itself: nothing is fetched from anywhere. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1c2126; --soft: #55606b; --ground: #fff; --panel: #f3f5f7; --line: #d4dae0; --accent: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ec; --soft: #a3adb8; --ground: #14171a; --panel: #1e2327; --line: #363e46; --accent: #7db8f5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0 0 .25rem; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
.lead, .note { color: var(--soft); }
a { color: var(--accent); }
code, pre { font: .92em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: .5rem 0; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; }
pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; text-align: left; }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
ul { padding-left: 1.25rem; }
td code, li code { overflow-wrap: break-word; }
@media (max-width: 40rem) {
  thead { position: absolute; clip-path: inset(50%); }
  td { display: block; padding-right: 0; }
  td:first-child { padding-bottom: 0; border-bottom: 0; }
  td:last-child { padding-top: 0; color: var(--soft); }
}
`;

/** Lets exactly this style sheet through a policy that forbids everything else. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
