import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../bench/measure/ports.ts';
import { startProxy } from './byte-proxies.ts';
import { makeTestCertificate } from './certificate.ts';

export interface TlsFront {
  readonly port: number;
  /** The file of its certificate, which nobody else has signed. */
  readonly ca: string;
  stop(): Promise<void>;
}

/** HAProxy ending TLS in front of a port of this machine, for those only who ask for `localhost` by SNI. */
export async function startTlsFront(target: number): Promise<TlsFront> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-front-'));
  const [port] = await freePorts(1);
  const { cert, key } = await makeTestCertificate();
  const file = join(folder, 'localhost.pem');
  const ca = join(folder, 'ca.crt');
  await Promise.all([writeFile(file, `${cert}\n${key}`), writeFile(ca, cert)]);
  const config = `defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen front
  bind 127.0.0.1:${port} ssl crt ${file} strict-sni
  server rtmp 127.0.0.1:${target}
`;
  const proxy = await startProxy('haproxy', config, [port!], (configFile) => ['-db', '-f', configFile]);
  return {
    port: port!,
    ca,
    async stop() {
      await proxy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
