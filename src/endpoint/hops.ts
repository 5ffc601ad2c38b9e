import { FOUR_CCS } from '../media/index.ts';
import { CapsEx, object, property, type AmfObject } from '../protocol/index.ts';

/** Where a relaying gateway says, in its connect command, which gateways the stream has come through. Ours alone. */
const HOPS = 'rtmpGatewayHops';

/** A chain this long is a mistake even if nobody is in it twice: ids change when gateways start. */
export const MAX_HOPS = 8;

/** More than any chain is not looked at. */
const MAX_TEXT = 1024;

/**
 * What a relay says of itself when it connects: the gateways on the way, itself last, and that it takes every codec. Servers
 * that hold back what a player has not asked for (MediaMTX) look for names and not for "*". `follows`: it goes where a
 * ReconnectRequest sends it.
 */
export function relayProperties(hops: readonly string[], follows = false): AmfObject {
  return object({
    fourCcList: [...FOUR_CCS.video, ...FOUR_CCS.audio],
    capsEx: CapsEx.multitrack | CapsEx.modEx | (follows ? CapsEx.reconnect : 0),
    [HOPS]: hops.join(','),
  });
}

/** The gateways that a client says its stream comes through; none for an ordinary client. */
export function readHops(properties: AmfObject): readonly string[] {
  const text = property(properties, HOPS);
  if (typeof text !== 'string' || text === '') return [];
  return text.slice(0, MAX_TEXT).split(',');
}

/** Why a relay with these hops may not come in, or nothing. `own`: the id of this gateway. */
export function loopIn(hops: readonly string[], own: string | undefined): string | undefined {
  if (own !== undefined && hops.includes(own)) return 'this relay would be a loop: the stream comes from here';
  return hops.length > MAX_HOPS ? 'this relay looks like a loop: too many gateways on the way' : undefined;
}
