import { SESSION_DEFAULTS, type SessionSettings } from '../protocol/index.ts';
import type { Peer } from '../transport/index.ts';

/** Over a tunnel every step of the handshake costs a poll: it gets half as long again. */
const TUNNEL_HANDSHAKE_FACTOR = 1.5;

/** A session's settings for whoever came, or is reached, this way. */
export function settingsFor({ scheme }: Pick<Peer, 'scheme'>, settings: SessionSettings): SessionSettings {
  if (!scheme.startsWith('rtmpt')) return settings;
  const handshakeTimeoutMs = settings.handshakeTimeoutMs ?? SESSION_DEFAULTS.handshakeTimeoutMs;
  return { ...settings, handshakeTimeoutMs: handshakeTimeoutMs * TUNNEL_HANDSHAKE_FACTOR };
}
