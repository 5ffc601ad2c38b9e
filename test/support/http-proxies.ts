import { freePorts } from '../../bench/measure/ports.ts';
import { startProxy, type ByteProxy } from './byte-proxies.ts';
import type { Program } from './programs.ts';

/** A reverse proxy that speaks HTTP, with a port for HTTP and one for HTTPS, in front of an HTTP port of this machine. */
export interface HttpProxy {
  readonly http: number;
  readonly https: number;
  stop(): Promise<void>;
}

type Start = (target: number, pem: string) => Promise<HttpProxy>;

/** How one is set up that is reached by real clients, and the programs that it takes. */
export interface ProxyKind {
  readonly name: string;
  readonly programs: readonly Program[];
  readonly start: Start;
}

const NGINX_TUNED = `proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_request_buffering off;`;

/**
 * What it does by itself, but for one thing: it closes a client's connection after 1000 requests, which ends sessions of
 * FFmpeg and librtmp whatever is behind it.
 */
async function startNginx(target: number, pem: string, tuning: string): Promise<HttpProxy> {
  const ports = await freePorts(2);
  const config = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream gateway {
    server 127.0.0.1:${target};${tuning === '' ? '' : '\n    keepalive 16;\n    keepalive_requests 1000000;'}
  }
  server {
    listen 127.0.0.1:${ports[0]};
    listen 127.0.0.1:${ports[1]} ssl;
    ssl_certificate ${pem};
    ssl_certificate_key ${pem};
    ssl_protocols TLSv1.2;
    location / {
    ${tuning}
    proxy_pass http://gateway;
    }
  }
}
`;
  const args = (file: string, folder: string): string[] => ['-p', folder, '-c', file, '-e', 'stderr'];
  return named(await startProxy('nginx', config, ports, args));
}

/** librtmp reads the length of an answer only where its name is spelled as usual, and HAProxy writes it small. */
async function startHaproxy(target: number, pem: string, tuning: string): Promise<HttpProxy> {
  const ports = await freePorts(2);
  const config = `global
  h1-case-adjust content-length Content-Length
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen tunnels
  bind 127.0.0.1:${ports[0]}
  bind 127.0.0.1:${ports[1]} ssl crt ${pem} ssl-max-ver TLSv1.2
  option h1-case-adjust-bogus-client
  ${tuning}
  server gateway 127.0.0.1:${target}
`;
  return named(await startProxy('haproxy', config, ports, (file) => ['-db', '-f', file]));
}

function named(proxy: ByteProxy): HttpProxy {
  return { http: proxy.ports[0]!, https: proxy.ports[1]!, stop: () => proxy.stop() };
}

const nginx: Start = (target, pem) => startNginx(target, pem, '');
const nginxTuned: Start = (target, pem) => startNginx(target, pem, NGINX_TUNED);
const haproxy: Start = (target, pem) => startHaproxy(target, pem, '');
const haproxyRetrying: Start = (target, pem) => startHaproxy(target, pem, 'retry-on all-retryable-errors\n  retries 3');

/** One proxy in front of another. */
function chain(outer: Start, inner: Start): Start {
  return async (target, pem) => {
    const behind = await inner(target, pem);
    const front = await outer(behind.http, pem);
    return { ...front, stop: async () => void (await Promise.all([front.stop(), behind.stop()])) };
  };
}

export const PROXY_KINDS: readonly ProxyKind[] = [
  { name: 'nginx at its defaults', programs: ['nginx-stream'], start: nginx },
  { name: 'nginx tuned', programs: ['nginx-stream'], start: nginxTuned },
  { name: 'HAProxy at its defaults', programs: ['haproxy'], start: haproxy },
  { name: 'HAProxy that retries everything', programs: ['haproxy'], start: haproxyRetrying },
  { name: 'HAProxy, then nginx', programs: ['haproxy', 'nginx-stream'], start: chain(haproxy, nginx) },
  { name: 'nginx, then HAProxy', programs: ['haproxy', 'nginx-stream'], start: chain(nginxTuned, haproxyRetrying) },
];
