import { describe } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { has, missing } from '../support/programs.ts';
import { describeSixteenPairs } from '../support/sixteen-pairs.ts';

const isReady = has('ffmpeg') && has('nginx-rtmp');
const absent = missing('ffmpeg', 'nginx-rtmp');

describe.skipIf(!isReady).each(['least-connections', 'hash'] as const)(
  `nginx-rtmp as upstream, balanced by %s: sixteen pairs of FFmpeg${absent}`,
  (balance) => {
    describeSixteenPairs(async () => {
      const nginx = await NginxRtmp.start();
      const gateway = await startGateway({ core: { upstreams: [nginx.url], balance } });
      return {
        url: gateway.url,
        awaitPlayers: (name, count) => nginx.has(name, count),
        async stop() {
          await gateway.stop();
          await nginx.stop();
        },
      };
    });
  },
);
