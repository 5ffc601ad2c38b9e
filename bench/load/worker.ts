import { runArrivals } from './arrival-load.ts';
import { runHandshakes } from './handshake-load.ts';
import type { AnyJob, AnyReport, WorkerAnswer } from './job.ts';
import { runMediaLoad } from './media-load.ts';
import { runPollLoad } from './poll-load.ts';
import { runStalls } from './stall-load.ts';

/** Time for the last `/close` requests to leave. */
const PARTING_MS = 200;

/** The load's own process: one job comes by message, one answer goes back. */
process.once('message', (job: AnyJob) => {
  run(job).then(
    (report) => setTimeout(() => answer({ report }), PARTING_MS),
    (error: Error) => answer({ error: error.message }),
  );
});

function answer(content: WorkerAnswer): void {
  process.send!(content, () => process.exit(0));
}

function run(job: AnyJob): Promise<AnyReport> {
  switch (job.kind) {
    case 'media':
      return runMediaLoad(job);
    case 'poll':
      return runPollLoad(job);
    case 'arrivals':
      return runArrivals(job);
    case 'handshakes':
      return runHandshakes(job);
    case 'stall':
      return runStalls(job);
  }
}
