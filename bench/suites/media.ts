import { gateway, nginx } from '../measure/contender.ts';
import { delivery, health, play, shape } from './shape.ts';
import type { Suite } from './suite.ts';

const BITS = 8;

/** One stream to many players. */
export const fanOut: Suite = {
  name: 'fanout',
  title: '1 publisher, 200 players, 2 Mbit/s, rtmp',
  entries: [gateway(), nginx()],
  once: async (contender, options) => {
    const report = await play(contender, options, shape({ playersPerStream: 200 }));
    return { ...delivery(report), ...health(report) };
  },
};

/** The same through the tunnel; the publisher comes over plain RTMP. */
export const tunnelFanOut: Suite = {
  name: 'fanout-rtmpt',
  title: '1 publisher (rtmp), 50 players over rtmpt, 2 Mbit/s',
  entries: [gateway()],
  once: async (contender, options) => {
    const report = await play(contender, options, shape({ playersPerStream: 50, players: 'rtmpt' }));
    const { answers, emptyAnswers, receivedMessages } = report;
    const polling = { 'answers / message': answers / receivedMessages, 'empty answers': emptyAnswers };
    return { ...delivery(report), ...polling, ...health(report) };
  },
};

/** Many publishers, nobody watching. */
export const ingest: Suite = {
  name: 'ingest',
  title: '100 publishers, 2 Mbit/s each, no players, rtmp',
  entries: [gateway(), nginx()],
  once: async (contender, options) => {
    const report = await play(contender, options, shape({ streams: 100 }));
    const { serverCpuSeconds, sentBytes, seconds, disconnected, loadCpuSeconds } = report;
    return {
      'Mbit/s': (sentBytes * BITS) / 1e6 / seconds,
      'CPU s': serverCpuSeconds,
      'CPU s/GB': serverCpuSeconds / (sentBytes / 1e9),
      'µs/message': (serverCpuSeconds * 1e6) / report.sentMessages,
      disconnected,
      'load CPU s': loadCpuSeconds,
    };
  },
};

/** What a player keeps resident: memory with 20 players against memory with 1,000 more, on a stream of little weight. */
export const memory: Suite = {
  name: 'memory',
  title: 'memory of a player: 1,000 more players of a 100 kbit/s stream, rtmp',
  entries: [gateway(), nginx()],
  once: async (contender) => {
    const light = { kbitPerSecond: 100, ramp: 500 };
    const few = await play(contender, { seconds: 1 }, shape({ ...light, playersPerStream: 20 }));
    const many = await play(contender, { seconds: 6 }, shape({ ...light, playersPerStream: 1020 }));
    return {
      'MiB with 20': few.rssAfterKiB / 1024,
      'MiB with 1,020': many.rssAfterKiB / 1024,
      'KiB/player': (many.rssAfterKiB - few.rssAfterKiB) / 1000,
      ...health(many),
    };
  },
};
