import { GatewayError, LimitError, UsageError } from '../errors.ts';
import type { Log } from '../log.ts';

/** How many clients end a connection when they have what they want (FFmpeg, browsers, anything killed): no news by itself. */
const DEPARTURES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** One line for the end of a client's connection. `isTold` when another line has named the reason. */
export function logEnding(log: Log, fault: Error | undefined, isTold: boolean): void {
  if (fault === undefined) return log.debug({}, 'connection closed');
  const code = codeOf(fault);
  if (fault instanceof LimitError) return log.warn({ code }, `connection ended: ${fault.message}`);
  if (isBug(fault)) return log.error({ err: fault }, 'connection ended by a bug here');
  const level = isTold || DEPARTURES.has(code) ? 'debug' : 'info';
  log[level]({ code }, `connection ended: ${fault.message}`);
}

/** The reason in words, to be put behind "ended"; nothing when the client just left. */
export function because(fault: Error | undefined): string {
  return fault === undefined || DEPARTURES.has(codeOf(fault)) ? '' : `: ${fault.message}`;
}

export function codeIn(fault: Error | undefined): { readonly code?: string } {
  return fault === undefined ? {} : { code: codeOf(fault) };
}

function codeOf(fault: Error): string {
  return fault instanceof GatewayError ? fault.code : ((fault as NodeJS.ErrnoException).code ?? fault.name);
}

/** Misuse, or neither one of our own error classes nor an error of the operating system's: our code is at fault. */
function isBug(fault: Error): boolean {
  if (fault instanceof GatewayError) return fault instanceof UsageError;
  return (fault as NodeJS.ErrnoException).code === undefined;
}
