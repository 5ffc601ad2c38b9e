import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contender, listening, type Entry } from './contender.ts';
import { freePorts } from './ports.ts';
import { pair } from './tls.ts';

/** A port where nobody listens, for a HAProxy that is to bring nobody anywhere. */
const NOWHERE = 9;

/** HAProxy in one thread: a port that carries TCP, and one that ends TLS. */
export function haproxy(): Entry {
  return {
    name: 'HAProxy',
    ...(spawnSync('haproxy', ['-v']).status !== 0 && { missing: 'haproxy is not installed' }),
    start: async (upstream = NOWHERE) => {
      const folder = await mkdtemp(join(tmpdir(), 'bench-haproxy-'));
      const [rtmp, rtmps] = await freePorts(2);
      const both = join(folder, 'both.pem');
      const { cert, key } = await pair();
      await writeFile(both, cert + key, { mode: 0o600 });
      const file = join(folder, 'haproxy.cfg');
      await writeFile(file, configuration({ rtmp: rtmp!, rtmps: rtmps!, both, upstream }));
      const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
      await listening(rtmps!, child);
      return contender('HAProxy', child, folder, { rtmp: rtmp!, rtmps: rtmps! });
    },
  };
}

interface Given {
  readonly rtmp: number;
  readonly rtmps: number;
  readonly both: string;
  readonly upstream: number;
}

/** Like the gateway it dials once a client has said something, has TLS 1.2 and 1.3, and session tickets (the default). */
function configuration({ rtmp, rtmps, both, upstream }: Given): string {
  return `
global
  nbthread 1
  maxconn 4000
  ssl-default-bind-options ssl-min-ver TLSv1.2
  ssl-default-bind-curves X25519:P-256
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen plain
  bind 127.0.0.1:${rtmp}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.len gt 0 }
  server rtmp 127.0.0.1:${upstream}
listen secure
  bind 127.0.0.1:${rtmps} ssl crt ${both}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.len gt 0 }
  server rtmp 127.0.0.1:${upstream}
`;
}
