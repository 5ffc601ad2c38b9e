/**
 * Who publishes, who watches. This room owns the live streams: it hands each publisher's frames to all its players, lets a
 * joining player start at a keyframe with its configurations before it, keeps players while a publisher is briefly away,
 * bounds what a slow player may leave waiting, and tells those who watch which streams come and go. No timers, no clock, no I/O.
 */
export { Hub, HUB_DEFAULTS, type HubOptions } from './hub.ts';
export type {
  Publication,
  Publisher,
  StreamInfo,
  SubscribeOptions,
  Subscriber,
  Subscription,
  Watcher,
} from './roles.ts';
export { ConfigStore, MAX_CONFIG_BYTES, MAX_CONFIGS } from './config-store.ts';
export { FairShare } from './fair-share.ts';
export { GOP_DEFAULTS, type GopLimits } from './gop.ts';
export { Outbox, OUTBOX_DEFAULTS, type OutboxLimits } from './outbox.ts';
export { patternFault, streamMatcher } from './stream-pattern.ts';
export { MAX_NAME_BYTES, pathOf, streamName, type StreamName } from './stream-name.ts';
