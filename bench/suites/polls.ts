import { floor, GATEWAY, gateway, type Contender } from '../measure/contender.ts';
import { runLoad } from '../measure/load.ts';
import type { Figures } from '../measure/rounds.ts';
import type { RunOptions, Suite } from './suite.ts';

const SLACK_SECONDS = 20;
const HELD = 'rtmp-gateway, hold 500 ms';

/** What an answer without content costs: 50 sessions that poll again as soon as they are answered. */
export const polls: Suite = {
  name: 'poll',
  title: 'an empty poll: 50 keep-alive sessions, the next poll on each answer',
  // hold 0: every poll is answered at once, as the two HTTP servers do; holding is measured by itself.
  entries: [
    gateway(GATEWAY, { tunnel: { hold: 0 } }),
    floor('node:http', 'node-http.mjs'),
    floor('Express', 'express.mjs'),
  ],
  once: (contender, options) => poll(contender, options, 50),
};

/** The same sessions as they are by default: each answer held, so that a session polls twice a second. */
export const heldPolls: Suite = {
  name: 'poll-held',
  title: 'an empty poll held for 500 ms: 1,000 sessions',
  entries: [gateway(HELD)],
  once: (contender, options) => poll(contender, options, 1000),
};

async function poll(contender: Contender, { seconds }: RunOptions, sessions: number): Promise<Figures> {
  const withRtmp = contender.rtmp > 0;
  const job = {
    kind: 'poll',
    serverPid: contender.pid,
    port: contender.http,
    sessions,
    withRtmp,
    warmUpSeconds: 2,
    seconds,
  } as const;
  const report = await runLoad(job, seconds + SLACK_SECONDS);
  return {
    'polls/s': report.polls / report.seconds,
    'CPU µs/poll': (report.serverCpuSeconds * 1e6) / report.polls,
    disconnected: report.disconnected,
    'load CPU s': report.loadCpuSeconds,
  };
}
