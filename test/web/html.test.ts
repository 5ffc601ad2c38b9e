import { expect, test } from 'vitest';
import { escapeHtml, Html, markup } from '../../src/web/html.ts';

test('escapes everything that means something in element content or in a quoted attribute', () => {
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
});

test('escapes what is filled in, but not what is HTML already, however deep in lists', () => {
  const item = markup`<b>${'<&>'}</b>`;
  expect(markup`<p>${[item, [new Html('<i>')], '<', 7]}</p>`.text).toBe('<p><b>&lt;&amp;&gt;</b><i>&lt;7</p>');
});
