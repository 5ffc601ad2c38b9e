import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.ts';
import type { ArrivalJob, ArrivalReport } from './job.ts';
import { Player } from './player.ts';
import { newTally } from './tally.ts';
import { Publishers } from './publishers.ts';

const APP = 'live';
const STREAM = 'bench-arrivals';

/** Players that come one after the other to a stream that runs: how long each step of joining takes. */
export async function runArrivals(job: ArrivalJob): Promise<ArrivalReport> {
  const lost = (reason: string) => {
    throw new Error(`a client was disconnected: ${reason}`);
  };
  const rate = { kbitPerSecond: 2000, framesPerSecond: 30 };
  const publishers = new Publishers({
    ...rate,
    target: job.publishers,
    app: APP,
    stream: () => STREAM,
    count: 1,
    lost,
  });
  await publishers.start();
  const connect = new Histogram();
  const join = new Histogram();
  for (let index = 0; index < job.arrivals; index++) {
    const { milestones, firstMediaAt } = await arrive(job);
    connect.add(milestones.connected - milestones.opened);
    join.add(firstMediaAt - milestones.asked);
    // Joining must not fall into step with the frames: a server that waits for the next one would look better or worse.
    await sleep(Math.random() * 100);
  }
  publishers.stop();
  return { arrivals: job.arrivals, connectMs: connect.spread(), joinMs: join.spread() };
}

function arrive(job: ArrivalJob): Promise<{ milestones: Player['client']['milestones']; firstMediaAt: number }> {
  const tunnel = { pollMs: 0, answered: () => {} };
  return new Promise((resolve, reject) => {
    const tally = newTally();
    const player = new Player({ target: job.players, app: APP, stream: STREAM, role: 'play', tunnel }, tally, () => {
      player.client.close();
      if (tally.damaged > 0) reject(new Error('a player got damaged media'));
      resolve({ milestones: player.client.milestones, firstMediaAt: player.firstMediaAt });
    });
  });
}
