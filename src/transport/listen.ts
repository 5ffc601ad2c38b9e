import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { ConfigError } from '../errors.ts';

/** Where a server listens, once it does. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** Opens a server's port. Rejects with `ConfigError` CANNOT_LISTEN, whose cause is what the system said. */
export async function listen(server: Server, { host, port = 0, ...options }: ListenOptions): Promise<BoundAddress> {
  try {
    await once(server.listen({ ...options, port, ...(host !== undefined && { host }) }), 'listening');
  } catch (cause) {
    const where = host === undefined ? `port ${port}` : `${host} port ${port}`;
    throw new ConfigError('CANNOT_LISTEN', `cannot listen on ${where}: ${(cause as Error).message}`, { cause });
  }
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
}
