import { openTunnelWay } from '../support/tunnel-way.ts';
import { describeTransport } from './transport.ts';

// A MiB of output and some bodies at the server, an answer or two at the client, and the kernels' buffers for both.
const tunnelled = { halfClose: false, maxUnreadBytes: 16 * 1024 * 1024 };

for (const engine of ['own', 'router'] as const) {
  describeTransport(`rtmpt (${engine} engine)`, { ...tunnelled, scheme: 'rtmpt', secure: false }, (handler) =>
    openTunnelWay(engine, false, handler),
  );

  describeTransport(`rtmpts (${engine} engine)`, { ...tunnelled, scheme: 'rtmpts', secure: true }, (handler) =>
    openTunnelWay(engine, true, handler),
  );

  describeTransport(
    `rtmpt (${engine} engine) with two requests at a time`,
    { ...tunnelled, scheme: 'rtmpt', secure: false },
    (handler) => openTunnelWay(engine, false, handler, { tunnel: { requestsInFlight: 2 } }),
  );
}
