import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './programs.ts';

/** In testssl's order; OK, INFO and WARN (a check that could not be made) are no findings. */
const LEVELS = ['OK', 'INFO', 'WARN', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'] as const;

/** One line of testssl's report. */
export interface ScannerFinding {
  readonly id: string;
  readonly severity: (typeof LEVELS)[number];
  readonly finding: string;
}

/** Scans `port` of loopback with testssl, everything that it can test, as whoever trusts `root`. */
export async function scan(port: number, name: string, root: string, folder: string): Promise<ScannerFinding[]> {
  const report = join(folder, `testssl-${port}.json`);
  const { code, stdout, stderr } = await run(
    'testssl',
    [
      ...['--quiet', '--color', '0', '--warnings', 'batch', '--ip', '127.0.0.1', '--nodns', 'min'],
      ...['--add-ca', root, '--jsonfile', report, `${name}:${port}`],
    ],
    600_000,
  ).finished;
  await writeFile(join(folder, `testssl-${port}.txt`), stdout);
  try {
    return JSON.parse(await readFile(report, 'utf8')) as ScannerFinding[];
  } catch (cause) {
    throw new Error(`testssl (exit status ${code}) left no report: ${stderr}`, { cause });
  }
}

/** Those worse than `level`. */
export function worseThan(
  level: ScannerFinding['severity'],
  findings: readonly ScannerFinding[],
): readonly ScannerFinding[] {
  return findings.filter(({ severity }) => LEVELS.indexOf(severity) > LEVELS.indexOf(level));
}
