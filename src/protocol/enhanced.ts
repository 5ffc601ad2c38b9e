import { AmfObject, object, type AmfValue } from './amf0.ts';
import { number, property } from './call.ts';

/** `capsEx`, the extra abilities of Enhanced RTMP v2. */
export const CapsEx = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;

/** Bits of `videoFourCcInfoMap` and `audioFourCcInfoMap`: what a peer can do with a codec. */
export const FourCcInfo = { canDecode: 1, canEncode: 2, canForward: 4 } as const;

/** What a peer announced in its connect object (Enhanced RTMP v1 and v2, "Enhancing NetConnection connect command"). */
export interface Capabilities {
  /** v1: "hvc1", "av01" …, or "*" for all. */
  readonly fourCcList: readonly string[] | undefined;
  readonly videoFourCcInfoMap: ReadonlyMap<string, number> | undefined;
  readonly audioFourCcInfoMap: ReadonlyMap<string, number> | undefined;
  readonly capsEx: number;
}

/** More entries than there are codecs say nothing; what is past them is not read. */
const MAX_ENTRIES = 32;

/** What the peer announced; undefined when it announced nothing, as OBS does even when it sends HEVC. */
export function readCapabilities(properties: AmfValue): Capabilities | undefined {
  const fourCcList = strings(property(properties, 'fourCcList'));
  const videoFourCcInfoMap = masks(property(properties, 'videoFourCcInfoMap'));
  const audioFourCcInfoMap = masks(property(properties, 'audioFourCcInfoMap'));
  const capsEx = property(properties, 'capsEx');
  if (!fourCcList && !videoFourCcInfoMap && !audioFourCcInfoMap && typeof capsEx !== 'number') return undefined;
  return { fourCcList, videoFourCcInfoMap, audioFourCcInfoMap, capsEx: number(capsEx, 0) };
}

function strings(value: AmfValue): string[] | undefined {
  // An associative array where a strict one belongs is read all the same.
  const list = value instanceof AmfObject ? [...value.values()] : value;
  if (!Array.isArray(list)) return undefined;
  return list.slice(0, MAX_ENTRIES).filter((entry) => typeof entry === 'string');
}

function masks(value: AmfValue): Map<string, number> | undefined {
  if (!(value instanceof AmfObject)) return undefined;
  const entries = [...value].slice(0, MAX_ENTRIES).map(([name, mask]) => [name, number(mask, 0)] as const);
  return new Map(entries);
}

/**
 * The entries for the connect result of a pure relay: every codec can be forwarded, and of the abilities those that
 * mean "does not stumble over it". A v1 list comes back as it was sent, since all of it is understood so far as a
 * relay must, and v1 peers look for their codec's name, not for "*".
 */
export function relayCapabilities(asked: Capabilities): AmfObject {
  const all = () => object({ '*': FourCcInfo.canForward });
  return object({
    fourCcList: asked.fourCcList ? [...asked.fourCcList] : ['*'],
    videoFourCcInfoMap: all(),
    audioFourCcInfoMap: all(),
    capsEx: CapsEx.multitrack | CapsEx.modEx,
  });
}
