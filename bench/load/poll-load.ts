import { setTimeout as sleep } from 'node:timers/promises';
import type { PollJob, PollReport } from './job.ts';
import { RtmpClient } from './rtmp-client.ts';
import { TunnelCarrier, type TunnelOptions } from './tunnel.ts';
import { measure } from './window.ts';

/** A stream that nobody publishes: its players have nothing to read and poll on. */
const SILENT_STREAM = 'bench-silence';

interface Poller {
  close(): void;
}

/** Sessions that poll as fast as they are answered, one request at a time each. */
export async function runPollLoad(job: PollJob): Promise<PollReport> {
  const seen = { polls: 0, disconnected: 0 };
  const reasons = new Set<string>();
  const tunnel: TunnelOptions = { pollMs: 0, answered: () => (seen.polls += 1) };
  const lost = (reason: string) => {
    seen.disconnected += 1;
    reasons.add(reason);
  };
  const pollers: Poller[] = [];
  await new Promise<void>((resolve) => {
    let ready = 0;
    const isReady = () => {
      ready += 1;
      if (ready === job.sessions) resolve();
    };
    for (let index = 0; index < job.sessions; index++) pollers.push(poller(job, tunnel, isReady, lost));
  });
  await sleep(job.warmUpSeconds * 1000);
  const before = seen.polls;
  const finish = measure(job.serverPid);
  await sleep(job.seconds * 1000);
  const report = { ...finish(), polls: seen.polls - before, disconnected: seen.disconnected, reasons: [...reasons] };
  for (const each of pollers) each.close();
  return report;
}

function poller(job: PollJob, tunnel: TunnelOptions, ready: () => void, lost: (reason: string) => void): Poller {
  if (!job.withRtmp) {
    return new TunnelCarrier(job.port, false, { opened: ready, read: () => {}, closed: lost }, tunnel);
  }
  const target = { transport: 'rtmpt', port: job.port } as const;
  const wish = { target, app: 'live', stream: SILENT_STREAM, role: 'play', tunnel } as const;
  return new RtmpClient(wish, { ready, media: () => {}, lost });
}
