import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type {
  AnyJob,
  AnyReport,
  ArrivalReport,
  HandshakeReport,
  MediaReport,
  PollReport,
  StallReport,
  WorkerAnswer,
} from '../load/job.ts';

const WORKER = fileURLToPath(new URL('../load/worker.ts', import.meta.url));

interface ReportOf {
  readonly media: MediaReport;
  readonly poll: PollReport;
  readonly arrivals: ArrivalReport;
  readonly handshakes: HandshakeReport;
  readonly stall: StallReport;
}

/** Runs one job in a process of its own; rejects when it fails or takes longer than `limitSeconds`. */
export function runLoad<J extends AnyJob>(job: J, limitSeconds: number): Promise<ReportOf[J['kind']]> {
  return new Promise((resolve, reject) => {
    const worker = fork(WORKER, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const timer = setTimeout(() => {
      worker.kill('SIGKILL');
      reject(new Error(`the load did not end within ${limitSeconds} s`));
    }, limitSeconds * 1000);
    worker.once('message', (answer: WorkerAnswer) => {
      if ('error' in answer) reject(new Error(answer.error));
      else resolve(answer.report as AnyReport as ReportOf[J['kind']]);
    });
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the load ended without a report, status ${code}`));
    });
    worker.send(job);
  });
}
