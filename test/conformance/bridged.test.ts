import { openBridgedWay } from '../support/bridged-way.ts';
import { openDirectWay } from '../support/door-way.ts';
import { openTunnelWay } from '../support/tunnel-way.ts';
import { describeTransport } from './transport.ts';

// What the far side sees is the bridge: plain RTMP from this machine, or RTMPS. Two connections' buffers are on the way.
const bridged = { scheme: 'rtmp', secure: false, maxUnreadBytes: 32 * 1024 * 1024 } as const;

describeTransport('rtmp, bridged', { ...bridged, halfClose: true }, (handler) =>
  openBridgedWay((bridge) => openDirectWay('rtmp', bridge), handler),
);

describeTransport(
  'rtmps, bridged to rtmps',
  { ...bridged, scheme: 'rtmps', secure: true, halfClose: true },
  (handler) => openBridgedWay((bridge) => openDirectWay('rtmps', bridge), handler, 'rtmps'),
);

for (const engine of ['own', 'router'] as const) {
  describeTransport(`rtmpt (${engine} engine), bridged`, { ...bridged, halfClose: false }, (handler) =>
    openBridgedWay((bridge) => openTunnelWay(engine, false, bridge), handler),
  );
}
