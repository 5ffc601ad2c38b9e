import type { Log } from '../../src/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A logger that keeps its lines for the test to look at. */
export function recordingLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  return { log: recorder(lines, {}), lines };
}

function recorder(lines: LogLine[], own: object): Log {
  const at =
    (level: LogLine['level']) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields: { ...own, ...fields }, message });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => recorder(lines, { ...own, ...fields }),
  };
}

/** The addresses that lines name for `app/stream`, each once; a stream's name is cut after four characters in a log. */
export function addressesOf(lines: readonly LogLine[], path: string): string[] {
  const [app, stream = ''] = path.split('/');
  const fields = lines.map(({ fields }) => fields as { app?: string; stream?: string; address?: string });
  const about = fields.filter((line) => line.app === app && line.stream?.slice(0, 4) === stream.slice(0, 4));
  return [...new Set(about.flatMap(({ address }) => address ?? []))].sort();
}
