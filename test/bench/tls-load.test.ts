import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { runHandshakes } from '../../bench/load/handshake-load.ts';
import { clientHello, runStalls } from '../../bench/load/stall-load.ts';
import { pair } from '../../bench/measure/tls.ts';

const RECORD_HEADER = 5;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;

let server: tls.Server | undefined;
afterEach(() => void server?.close());

async function listen(options: tls.TlsOptions = {}, served: (server: tls.Server) => void = () => {}): Promise<number> {
  const own: tls.Server = tls.createServer({ ...(await pair()), ...options }, (socket) => {
    served(own);
    socket.on('error', () => {});
    socket.resume();
  });
  server = own;
  own.listen(0, '127.0.0.1');
  await once(own, 'listening');
  return (own.address() as AddressInfo).port;
}

describe('a load of handshakes', () => {
  const fixed = { serverPid: process.pid, concurrency: 2, warmUpSeconds: 0, seconds: 0.1 };

  it.each(['TLSv1.3', 'TLSv1.2'] as const)('is full or resumed as it was asked to be: %s', async (version) => {
    const port = await listen();
    for (const resumed of [false, true]) {
      const report = await runHandshakes({ ...fixed, port, version, resumed });
      expect(report).toMatchObject({ otherwise: 0, failed: 0 });
      expect(report.handshakes).toBeGreaterThan(2);
    }
  });

  it('counts those that a server did not resume', async () => {
    const port = await listen({}, (own) => own.setTicketKeys(randomBytes(48)));
    const report = await runHandshakes({ ...fixed, port, version: 'TLSv1.2', resumed: true });
    expect(report.handshakes).toBeGreaterThan(2);
    expect(report.otherwise).toBe(report.handshakes);
  });

  it('counts those that failed, and tells why', async () => {
    const port = await listen({ maxVersion: 'TLSv1.2' });
    const report = await runHandshakes({ ...fixed, port, version: 'TLSv1.3', resumed: false });
    expect(report.handshakes).toBe(0);
    expect(report.failed).toBeGreaterThan(0);
    expect(report.reasons.join()).toMatch(/version/);
  });
});

describe('a load of stalled handshakes', () => {
  it('begins with a whole ClientHello that names the server', async () => {
    const hello = await clientHello();
    expect([hello[0], hello[RECORD_HEADER]]).toEqual([HANDSHAKE_RECORD, CLIENT_HELLO]);
    expect(hello.length).toBe(RECORD_HEADER + hello.readUInt16BE(3));
    expect(hello.includes('localhost')).toBe(true);
  });

  it('holds as many as it should', async () => {
    const job = { port: await listen(), connections: 8, delaySeconds: 0, seconds: 0.2 };
    expect(await runStalls(job)).toEqual({ standing: 8, ended: 0 });
  });

  it('begins those anew that the server gave up, the ones within their hello and the ones behind it', async () => {
    const reasons = new Set<string>();
    const port = await listen({ handshakeTimeout: 20 });
    server!.on('tlsClientError', (error, socket) => {
      reasons.add((error as NodeJS.ErrnoException).code ?? '');
      socket.destroy();
    });
    const { standing, ended } = await runStalls({ port, connections: 8, delaySeconds: 0, seconds: 0.3 });
    expect(standing).toBe(8);
    expect(ended).toBeGreaterThanOrEqual(8);
    expect([...reasons]).toContain('ERR_TLS_HANDSHAKE_TIMEOUT');
  });
});
