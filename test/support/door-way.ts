import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LiveCertificates } from '../../src/certificates/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { AddressCounter, dialer, Door } from '../../src/transport/index.ts';
import type { DoorDependencies, Handler } from '../../src/transport/index.ts';
import type { Way } from '../conformance/transport.ts';

const unlimited = (): AddressCounter => new AddressCounter({ max: 10_000, maxPerAddress: 10_000 });

/** A development certificate in a folder that is gone again at once. */
export async function makeCertificates(): Promise<LiveCertificates> {
  const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  try {
    return await LiveCertificates.open({ directory, certificates: [] }, NO_LOG);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** One door on a free port of this machine, without limits; with a development certificate if it is to have TLS. */
export async function openDoor(
  secure: boolean,
  handlers: Pick<DoorDependencies, 'rtmp' | 'http'>,
): Promise<{ door: Door; port: number }> {
  const door = new Door(
    { host: '127.0.0.1', port: 0 },
    {
      ...handlers,
      certificates: secure ? await makeCertificates() : undefined,
      clients: unlimited(),
      newcomers: unlimited(),
      sockets: unlimited(),
      trusted: () => false,
      log: NO_LOG,
    },
  );
  const { port } = await door.listen();
  return { door, port };
}

/** A door for RTMP, in TLS or not, and the dial that leads to it. */
export async function openDirectWay(scheme: 'rtmp' | 'rtmps', rtmp: Handler): Promise<Way> {
  const { door, port } = await openDoor(scheme === 'rtmps', { rtmp, http: (socket) => void socket.destroy() });
  const dial = dialer(`${scheme}://127.0.0.1:${port}/`, { tls: { rejectUnauthorized: false } });
  return { dial, close: async () => door.destroy() };
}
