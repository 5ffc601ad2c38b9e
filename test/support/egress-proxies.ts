import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../bench/measure/ports.ts';
import { startProxy } from './byte-proxies.ts';
import { makeTestCertificate } from './certificate.ts';
import { run } from './programs.ts';

/** Asked for by every proxy here. Squid takes small letters for equal to large ones by making all small. */
export const PROXY_USER = 'company\\user';
export const PROXY_PASSWORD = 'p@ss:w/rd';
export const PROXY_USERINFO = `${encodeURIComponent(PROXY_USER)}:${encodeURIComponent(PROXY_PASSWORD)}`;

/** A real proxy on the way out, as a company has one. */
export interface EgressProxy {
  readonly http: number;
  /** The same inside TLS, with a certificate for localhost of `ca`. */
  readonly https: number;
  readonly ca: string;
  stop(): Promise<void>;
}

/**
 * Squid with the rules that Debian ships, `connectPorts` in the place of 443 alone: CONNECT to these, requests to 80, 443 and
 * from 1025 on. Everybody has to say who he is.
 */
export async function startSquid(connectPorts: readonly number[]): Promise<EgressProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-squid-'));
  // Squid's helpers are not root.
  await chmod(folder, 0o755);
  const { cert, key } = await makeTestCertificate('proxy');
  const [pem, passwords] = [join(folder, 'proxy.pem'), join(folder, 'passwords')];
  await writeFile(pem, `${cert}\n${key}`, { mode: 0o644 });
  const { stdout } = await run('openssl', ['passwd', '-apr1', PROXY_PASSWORD]).finished;
  await writeFile(passwords, `${PROXY_USER}:${stdout.toString()}`, { mode: 0o644 });
  const ports = await freePorts(2);
  const config = `http_port 127.0.0.1:${ports[0]}
https_port 127.0.0.1:${ports[1]} tls-cert=${pem}
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${passwords}
auth_param basic children 1
auth_param basic realm test
acl somebody proxy_auth REQUIRED
acl SSL_ports port ${connectPorts.join(' ')}
acl Safe_ports port 80 443 1025-65535
http_access deny !Safe_ports
http_access deny CONNECT !SSL_ports
http_access allow somebody
http_access deny all
cache deny all
access_log none
cache_log /dev/null
logfile_rotate 0
netdb_filename none
pid_filename none
coredump_dir ${folder}
pinger_enable off
shutdown_lifetime 0 seconds
`;
  const squid = await startProxy('squid', config, ports, (file) => ['-N', '-f', file]);
  const stop = async (): Promise<void> => {
    await squid.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { http: ports[0]!, https: ports[1]!, ca: cert, stop };
}

/** A real SOCKS 5 proxy that asks for user name and password. */
export async function startSocks(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const ports = await freePorts(1);
  const args = ['-i', '127.0.0.1', '-p', String(ports[0]), '-u', PROXY_USER, '-P', PROXY_PASSWORD];
  const { stop } = await startProxy('microsocks', '', ports, () => args);
  return { port: ports[0]!, stop };
}
