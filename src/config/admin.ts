import type { AdminOptions } from '../admin/index.ts';
import type { Complaint } from './checks.ts';
import { isOff, leaf, OFF, parseHost, secret, section } from './fields.ts';

/** `admin`: the listener for those who run the gateway. */

interface Address {
  readonly host: string;
  readonly port: number;
}

const listen = leaf<Address | typeof OFF>({
  expected: 'HOST:PORT, a port alone (of 127.0.0.1), or off',
  read: (input) => (isOff(input) ? OFF : readAddress(String(input))),
  write: (address) =>
    address === OFF ? OFF : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`,
});

export const admin = section({
  listen: listen.default(OFF),
  // Long enough that nobody guesses it.
  token: secret(16).nullable().default(null),
});

interface Written {
  readonly listen: Address | typeof OFF;
  readonly token: string | null;
}

export function adminOptions({ listen: address, token }: Written): AdminOptions | null {
  return address === OFF ? null : { ...address, token };
}

/** Whoever reaches the listener may send any stream anywhere. */
export function openAdmin({ admin: { listen: address, token } }: { readonly admin: Written }): Complaint[] {
  if (address === OFF || token !== null || isLoopback(address.host)) return [];
  return [{ place: ['admin', 'listen'], reason: 'other machines can reach this address: admin.token must be set' }];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function readAddress(text: string): Address | undefined {
  const [, name = '127.0.0.1', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [parseHost(name), Number(digits)];
  return digits === '' || host === undefined || port > 65535 ? undefined : { host, port };
}
