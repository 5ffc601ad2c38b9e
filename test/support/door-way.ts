import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateStore } from '../../src/certificates/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { AddressCounter, Door } from '../../src/transport/index.ts';
import type { DoorDependencies, Handler, Scheme } from '../../src/transport/index.ts';
import { dialer } from '../../src/transport/dial.ts';
import type { DialOptions } from '../../src/transport/dial.ts';
import type { Way } from '../conformance/transport.ts';

const unlimited = (): AddressCounter => new AddressCounter({ max: 10_000, maxPerAddress: 10_000 });

/** A development certificate in a folder that is gone again at once. */
export async function makeCertificates(): Promise<CertificateStore> {
  const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  try {
    return await CertificateStore.open({ directory, certificates: [] }, NO_LOG);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** One door on a free port of this machine, and the dial that leads to it by one scheme. */
export async function openDoorWay(
  scheme: Scheme,
  deps: { rtmp: Handler; http?: DoorDependencies['http'] },
  options: DialOptions = {},
): Promise<Way> {
  const door = new Door(
    { host: '127.0.0.1', port: 0 },
    {
      rtmp: deps.rtmp,
      http: deps.http ?? ((socket) => void socket.destroy()),
      certificates: scheme.endsWith('s') ? await makeCertificates() : undefined,
      clients: unlimited(),
      newcomers: unlimited(),
      sockets: unlimited(),
      trusted: () => false,
      log: NO_LOG,
    },
  );
  const { port } = await door.listen();
  const dial = dialer(`${scheme}://127.0.0.1:${port}/`, { tls: { rejectUnauthorized: false }, ...options });
  return { dial, close: async () => door.destroy() };
}
