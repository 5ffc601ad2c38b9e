import { gateway, type Contender, type Entry } from '../measure/contender.ts';
import { health, play, shape, type Shape } from './shape.ts';
import type { Suite } from './suite.ts';

const STREAMS = 4;
const KBIT_PER_SECOND = 3000;
/** As many as there are numbers of NetStreams for players that share nothing: the gateway allows eight on a connection. */
const EACH = 8;

interface Way {
  readonly name: string;
  readonly entry: Entry;
  readonly given?: (contender: Contender) => Partial<Shape>;
}

const WAYS: readonly Way[] = [
  way('published only'),
  way(`${EACH} players each, who share bytes`, () => ({ playersPerStream: EACH })),
  way(`${EACH} players each, who share none`, () => ({ playersPerStream: EACH, ownNetStreams: true })),
  { name: `${EACH} push targets each`, entry: pushing(`${EACH} push targets each`) },
  way('HLS, 1 low-latency player each', ({ http }) => ({ hls: { port: http, playersPerStream: 1 } })),
];

/** What streams cost that go on: to players, to other servers, as HLS. The first line is what they cost anyway. */
export const onward: Suite = {
  name: 'onward',
  title: `${STREAMS} streams of ${KBIT_PER_SECOND / 1000} Mbit/s over rtmp, and where they go`,
  entries: WAYS.map(({ entry }) => entry),
  once: async (contender, options) => {
    const given = WAYS.find(({ name }) => name === contender.name)?.given?.(contender) ?? {};
    const report = await play(
      contender,
      options,
      shape({ streams: STREAMS, kbitPerSecond: KBIT_PER_SECOND, ...given }),
    );
    return {
      'CPU s': report.serverCpuSeconds,
      '% of a core, a stream': (report.serverCpuSeconds * 100) / report.seconds / STREAMS,
      'HLS parts': report.hlsParts,
      ...health(report),
    };
  },
};

function way(name: string, given?: Way['given']): Way {
  return { name, entry: gateway(name), ...(given && { given }) };
}

/** A gateway that pushes every stream to another gateway, under as many names as there are targets. */
function pushing(name: string): Entry {
  const sink = gateway('target');
  return {
    name,
    ...(sink.missing !== undefined && { missing: sink.missing }),
    start: async () => {
      const target = await sink.start();
      const to = Array.from({ length: EACH }, (_, index) => `rtmp://127.0.0.1:${target.rtmp}/live/{stream}-${index}`);
      const source = await gateway(name, { relay: [{ push: 'live/*', to }] }).start();
      const stop = async (): Promise<void> => {
        await source.stop();
        await target.stop();
      };
      return { ...source, stop };
    },
  };
}
