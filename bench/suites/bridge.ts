import { floor, gateway, type Entry } from '../measure/contender.ts';
import { inFront } from '../measure/front.ts';
import { haproxy } from '../measure/haproxy.ts';
import { delivery, health, play, shape, type Shape } from './shape.ts';
import type { Suite } from './suite.ts';

/** As many pictures may be on the way as nginx-rtmp queues for a player before it drops any: half of that. */
const WINDOW = 64;

const plain = (): Entry[] => [gateway(), floor('Node, pipe', 'relay.mjs', 'rtmp'), haproxy()];
const secure = (): Entry[] => [gateway(), floor('Node TLS, pipe', 'tls-relay.mjs', 'rtmps'), haproxy()];
const many = { playersPerStream: 100 };
const flatOut = { playersPerStream: 10, window: WINDOW };

/** What standing in front of an RTMP server costs: publishers go straight to that server, players through the front. */
export const bridge: readonly Suite[] = [
  suite('bridge', '100 players × 2 Mbit/s through a front, rtmp', plain(), many),
  suite('bridge-flat-out', '10 players of a stream without a pace through a front, rtmp', plain(), flatOut),
  suite('bridge-rtmps', '100 players × 2 Mbit/s through a front that ends TLS', secure(), {
    ...many,
    players: 'rtmps',
  }),
  suite('bridge-rtmps-flat-out', '10 players of a stream without a pace through a front that ends TLS', secure(), {
    ...flatOut,
    players: 'rtmps',
  }),
];

function suite(name: string, title: string, fronts: readonly Entry[], given: Partial<Shape>): Suite {
  return {
    name,
    title,
    entries: fronts.map((front) => inFront(front)),
    once: async (contender, options) => {
      const report = await play(contender, options, shape(given));
      return { ...delivery(report), ...health(report) };
    },
  };
}
