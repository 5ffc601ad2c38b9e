/**
 * RTMP spoken over a Duplex. This room owns the pump between bytes and sessions, the built-in server that joins sessions
 * to the hub, and the client that asks other servers. It knows no transport: whatever a door or a dial brings will do.
 */
export { Driver, DRIVER_DEFAULTS, now, random } from './driver.ts';
export type { DrivenSession, DriverCallbacks, DriverOptions } from './driver.ts';
export { RtmpServer } from './server.ts';
export { ExternalCore } from './external-core.ts';
export type { Core, ExternalCoreOptions } from './external-core.ts';
export { settingsFor } from './settings-for.ts';
export { probeRtmp } from './probe.ts';
export { Splice } from './splice.ts';
export type { KeyedServers, SpliceDependencies, SpliceOptions } from './splice.ts';
export { TurnAway } from './turn-away.ts';
export type { TurnAwayOptions } from './turn-away.ts';
export type { RtmpServerOptions } from './server.ts';
export { RefusedByServer, RtmpClient } from './client.ts';
export { MAX_HOPS, relayProperties } from './hops.ts';
export { Pulse, type Beater } from './pulse.ts';
export type { PlayListener, RtmpClientOptions } from './client.ts';
