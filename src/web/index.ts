/**
 * The public pages: what a browser, a health check or a Flash player gets from a front door, and the HTTP server that
 * takes over connections once they turn out to speak more than the tunnel. The tunnel's own requests on such a
 * connection go to the tunnel's router; everything else is answered here.
 */
export { createWebApp } from './app.ts';
export type { Access, WebAppDependencies, WebAppOptions } from './app.ts';
export { waysIn } from './addresses.ts';
export type { WayIn, WebDoor } from './addresses.ts';
export { WEB_DEFAULTS, WebServer } from './server.ts';
export type { WebServerOptions } from './server.ts';
