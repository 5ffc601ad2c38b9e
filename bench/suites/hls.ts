import { gateway } from '../measure/contender.ts';
import { health, play, shape } from './shape.ts';
import type { Suite } from './suite.ts';

const PLAYERS = 100;
/** A player asks for a playlist, and for the part that is new in it. */
const REQUESTS_A_PART = 2;

/** One stream as low-latency HLS to many players. */
export const hls: Suite = {
  name: 'hls',
  title: `1 publisher, ${PLAYERS} players of low-latency HLS, 2 Mbit/s`,
  entries: [gateway()],
  once: async (contender, options) => {
    const given = shape({ hls: { port: contender.http, playersPerStream: PLAYERS } });
    const report = await play(contender, options, given);
    const requests = report.hlsParts * REQUESTS_A_PART;
    return {
      'requests/s': requests / report.seconds,
      'CPU s': report.serverCpuSeconds,
      'µs/request': (report.serverCpuSeconds * 1e6) / requests,
      ...health(report),
    };
  },
};
