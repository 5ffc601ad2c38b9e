/**
 * Every way bytes travel: the doors that clients come in by, and the dials that lead out. Whatever was spoken on the
 * wire, what leaves this room is a stream of bytes and who is at its other end; nothing here knows RTMP.
 */
export { normaliseAddress } from './address.ts';
export { AddressCounter, type AddressCounterOptions } from './address-counter.ts';
export { ALL_PROTOCOLS, type Protocol } from './admission.ts';
export { Bridge, BRIDGE_DEFAULTS, type BridgeDependencies, type BridgeOptions } from './bridge.ts';
export { credentialsFault, readUserinfo, type Credentials } from './credentials.ts';
export type { PeerDial } from './crossing.ts';
export { DEFAULT_PORTS, dialer, introducingDialer, parseTarget, type DialOptions } from './dial.ts';
export { Door } from './door.ts';
export {
  DOOR_LIMITS,
  type DoorDependencies,
  type DoorLimits,
  type DoorOptions,
  type HttpArrival,
} from './door-options.ts';
export { listen, type BoundAddress } from './listen.ts';
export { peerFields, type Dial, type Handler, type Peer, type Scheme } from './link.ts';
export { parseProxy, type ProxyServer } from './proxy-server.ts';
export { nextPeerId } from './peer-id.ts';
export { TunnelClient } from './rtmpt/client.ts';
export { TUNNEL_CLIENT_DEFAULTS, type TunnelClientOptions } from './rtmpt/client-options.ts';
export { TUNNEL_DEFAULTS, restMs, type TunnelOptions } from './rtmpt/tunnel-options.ts';
export { serveTunnelConnection, type TunnelConnectionDependencies } from './rtmpt/connection.ts';
export { tunnelRouter } from './rtmpt/router.ts';
export { Tunnels, type HttpPeer } from './rtmpt/tunnels.ts';
export type { ClientIdentity } from './client-identity.ts';
export { hasCertificates, type TlsClientOptions } from './tls-client.ts';
export { isCipherList, TLS_DEFAULTS, type ClientTrust, type TlsOptions, type TlsVersion } from './tls-server.ts';
export { trustList } from './trust-list.ts';
export { streamKey, type Balance } from './balance.ts';
export type { UpstreamServer } from './upstream.ts';
export {
  UPSTREAM_DEFAULTS,
  Upstreams,
  type UpstreamCounts,
  type UpstreamsDependencies,
  type UpstreamsOptions,
} from './upstreams.ts';
