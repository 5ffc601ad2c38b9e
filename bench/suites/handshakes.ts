import type { HandshakeJob, HandshakeReport } from '../load/job.ts';
import { floor, gateway, type Contender } from '../measure/contender.ts';
import { haproxy } from '../measure/haproxy.ts';
import { runLoad } from '../measure/load.ts';
import type { Suite } from './suite.ts';

const SLACK_SECONDS = 20;
/** Enough that a server always has one to work at, and few enough that none waits for long. */
const CONCURRENCY = 16;

type Kind = Pick<HandshakeJob, 'version' | 'resumed'>;

const KINDS: readonly Kind[] = (['TLSv1.3', 'TLSv1.2'] as const).flatMap((version) => [
  { version, resumed: false },
  { version, resumed: true },
]);

/** How many TLS handshakes a second of CPU time is good for. */
export const handshakes: Suite = {
  name: 'handshakes',
  title: 'TLS handshakes in a second of the server’s CPU time: EC P-256, X25519, AES-256-GCM',
  entries: [gateway(), floor('node:tls', 'tls-relay.mjs', 'rtmps'), haproxy()],
  once: async (contender, { seconds }) => {
    const figures: Record<string, number> = {};
    let amiss = 0;
    for (const kind of KINDS) {
      const report = await shake(contender, seconds, kind);
      figures[`${kind.version} ${kind.resumed ? 'resumed' : 'full'} / CPU s`] =
        report.handshakes / report.serverCpuSeconds;
      amiss += report.failed + report.otherwise;
    }
    return { ...figures, 'failed or of the other kind': amiss };
  },
};

function shake({ pid, rtmps }: Contender, seconds: number, kind: Kind): Promise<HandshakeReport> {
  const fixed = { serverPid: pid, port: rtmps, concurrency: CONCURRENCY, warmUpSeconds: 2, seconds };
  return runLoad({ kind: 'handshakes', ...fixed, ...kind }, seconds + SLACK_SECONDS);
}
