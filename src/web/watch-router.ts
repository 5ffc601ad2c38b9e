import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import express from 'express';
import type { Router } from 'express';
import { WATCH_POLICY, watchPage } from './watch-page.ts';
import { WATCH_SCRIPT } from './watch-script.ts';

/** A day: a new version of the gateway may bring another. */
const SCRIPT_MAX_AGE = 86_400;

/** `/watch/APP/STREAM`, and the two scripts that it loads. hls.js is read once, from the installed package. */
export function watchRouter(): Router {
  const hls = readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'));
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get('/assets/hls.js', (_, response) => {
    response.set('Cache-Control', `public, max-age=${SCRIPT_MAX_AGE}`).type('text/javascript').send(hls);
  });
  router.get('/assets/watch.js', (_, response) => {
    response.set('Cache-Control', 'no-cache').type('text/javascript').send(WATCH_SCRIPT);
  });
  router.get('/watch/{*path}', (request, response, next) => {
    const { path } = request.params as { readonly path?: string | readonly string[] };
    const names = (typeof path === 'string' ? [path] : [...(path ?? [])]).filter((name) => name !== '');
    if (names.length === 0) return next();
    response.set('Content-Security-Policy', WATCH_POLICY).type('html').send(watchPage(names));
  });
  return router;
}
