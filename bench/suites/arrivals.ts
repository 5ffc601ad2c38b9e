import { gateway, nginx, type Contender } from '../measure/contender.ts';
import { runLoad } from '../measure/load.ts';
import type { Figures } from '../measure/rounds.ts';
import type { Suite } from './suite.ts';

const LIMIT_SECONDS = 90;
const ARRIVALS = 100;

/** How long a player waits: for the answer to connect, and from its play command to the first picture. */
export const arrivals: Suite = {
  name: 'arrivals',
  title: 'one player after another: connection to _result of connect, play to first media, rtmp',
  entries: [gateway(), nginx()],
  once: (contender) => arrive(contender, 'rtmp'),
};

export const tunnelArrivals: Suite = {
  name: 'arrivals-rtmpt',
  title: 'the same over rtmpt (from the answer to /open)',
  entries: [gateway()],
  once: (contender) => arrive(contender, 'rtmpt'),
};

async function arrive(contender: Contender, transport: 'rtmp' | 'rtmpt'): Promise<Figures> {
  const publishers = { transport: 'rtmp', port: contender.rtmp } as const;
  const players = transport === 'rtmp' ? publishers : { transport, port: contender.http };
  const job = { kind: 'arrivals', serverPid: contender.pid, publishers, players, arrivals: ARRIVALS } as const;
  const { connectMs, joinMs } = await runLoad(job, LIMIT_SECONDS);
  return {
    'connect p50 ms': connectMs?.p50,
    'connect p99 ms': connectMs?.p99,
    'join p50 ms': joinMs?.p50,
    'join p99 ms': joinMs?.p99,
  };
}
