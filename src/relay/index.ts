/**
 * On to other servers, and from them. This room owns the rules that say which streams are pushed where and fetched whence,
 * and a relay for each stream and server: one connection after the other, with pauses in between, each beginning at a
 * keyframe on a time line of its own. A slow or dead server costs that server its frames, and nobody else anything.
 */
export { BACK_OFF_DEFAULTS, type BackOffOptions, type FaultKind } from './back-off.ts';
export type { Traffic } from './attempt.ts';
export { newGatewayId, type RelayFault, type RelayState, type RelayStatus } from './relay.ts';
export { Relays, type RelayInfo, type RelayLink, type RulesChanged, type RelaysDependencies } from './relays.ts';
export { RELAY_DEFAULTS, type RelayOptions } from './relay-options.ts';
export { CODEC_NAMES, codecNamed } from './codec-rules.ts';
export {
  compileRule,
  DEFAULT_IDLE_MS,
  type PullRule,
  type PushRule,
  type RelayRule,
  type ServerRule,
} from './rules.ts';
export { targetTemplate, type Target, type TargetTemplate } from './target.ts';
