import { cpuSeconds, residentKiB } from '../measure/process-cost.ts';
import { nowMicros } from './clock.ts';
import type { Cost } from './job.ts';

/** Opens a measured stretch of time; what it returns closes it and tells the cost. */
export function measure(serverPid: number): () => Cost {
  const rssBeforeKiB = residentKiB(serverPid);
  const server = cpuSeconds(serverPid);
  const own = process.cpuUsage();
  const began = nowMicros();
  return () => {
    const { user, system } = process.cpuUsage(own);
    return {
      seconds: (nowMicros() - began) / 1e6,
      serverCpuSeconds: cpuSeconds(serverPid) - server,
      loadCpuSeconds: (user + system) / 1e6,
      rssBeforeKiB,
      rssAfterKiB: residentKiB(serverPid),
    };
  };
}
