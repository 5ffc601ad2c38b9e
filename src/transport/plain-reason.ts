/** What system errors mean, for people who run servers and not kernels. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up',
  EMFILE: 'too many open files here',
  EADDRNOTAVAIL: 'no free port left here',
};

/** Why a connection failed, in a few words; the error's own message where nothing better is known. */
export function plainReason(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause ?? firstOf(cause)) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : REASONS[code];
    if (reason !== undefined) return reason;
  }
  return error instanceof Error ? error.message : String(error);
}

/** All addresses of a name failed, each in its own way: the first one stands for them. */
function firstOf(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : undefined;
}
