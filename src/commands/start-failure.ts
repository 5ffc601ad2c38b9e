import { ConfigError } from '../errors.ts';
import { EXIT } from './io.ts';

export interface StartFailure {
  readonly status: number;
  readonly message: string;
}

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; stop the program that has it, or choose another port',
  EACCES: 'no permission; ports below 1024 need a privilege (root, or CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine does not speak that kind of address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be looked up',
  EMFILE: 'too many open files; raise the limit (ulimit -n)',
};

/** What to tell people when the gateway does not start; undefined for a fault of ours, whose stack is wanted. */
export function startFailure(error: unknown): StartFailure | undefined {
  const cause = systemErrorIn(error);
  const reason = cause && REASONS[cause.code];
  if (cause?.port !== undefined || cause?.code === 'ENOTFOUND' || cause?.code === 'EAI_AGAIN') {
    return { status: EXIT.failed, message: `cannot listen on ${placeOf(cause)}: ${reason ?? cause.message}` };
  }
  if (error instanceof ConfigError) return { status: EXIT.wrong, message: error.message };
  return cause && { status: EXIT.failed, message: cause.message };
}

/** Rooms wrap what the system said; it is somewhere among the causes. */
function systemErrorIn(error: unknown): SystemError | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('syscall' in current && 'code' in current && typeof current.code === 'string') return current as SystemError;
  }
  return undefined;
}

function placeOf({ address, port, ...rest }: SystemError): string {
  const host = address ?? ('hostname' in rest ? String(rest.hostname) : 'every address');
  if (port === undefined) return host;
  if (host === '::' || host === '0.0.0.0') return `port ${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
