import { gateway } from '../measure/contender.ts';
import { runLoad } from '../measure/load.ts';
import { delivery, health, play, shape } from './shape.ts';
import type { Suite } from './suite.ts';

const CONNECTIONS = 500;
const FLOOD = `rtmp-gateway, ${CONNECTIONS} stalled`;
/** Longer than the gateway waits for a handshake: that it gives up all of them, and they all come again, is part of it. */
const LEAST_SECONDS = 15;
/** By then the players have joined and are being measured: the arrival of the flood is part of it too. */
const DELAY_SECONDS = 4;

/** What handshakes that go silent do to those who publish and play over TLS on the same port. */
export const stalled: Suite = {
  name: 'stalled',
  title: `1 publisher, 10 players, 2 Mbit/s, rtmps, and beside them ${CONNECTIONS} handshakes that stall`,
  entries: [gateway(), gateway(FLOOD)],
  once: async (contender, options) => {
    const seconds = Math.max(options.seconds, LEAST_SECONDS);
    const stream = shape({ playersPerStream: 10, publishers: 'rtmps', players: 'rtmps' });
    const flood = contender.name === FLOOD ? runFlood(contender.rtmps, seconds) : undefined;
    const [report, stalls] = await Promise.all([play(contender, { seconds }, stream), flood]);
    return {
      'standing at once': stalls?.standing,
      'given up': stalls?.ended,
      ...delivery(report),
      ...health(report),
    };
  },
};

function runFlood(port: number, seconds: number) {
  const job = { kind: 'stall', port, connections: CONNECTIONS, delaySeconds: DELAY_SECONDS, seconds } as const;
  return runLoad(job, seconds + DELAY_SECONDS + LEAST_SECONDS);
}
