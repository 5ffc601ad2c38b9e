import { HLS_DEFAULTS, type HlsOptions } from '../delivery/index.ts';
import { count, duration, section, toggle } from './fields.ts';
import type { Settings } from './schema.ts';

/** `hls`: delivery to devices. */
export const hls = section({
  enabled: toggle().default(HLS_DEFAULTS.enabled),
  segment: duration({ min: 500, max: 30_000 }).default(HLS_DEFAULTS.segmentMs),
  part: duration({ min: 100, max: 5_000 }).default(HLS_DEFAULTS.partMs),
  // Below three there is nothing to begin with; players start three segments behind the end.
  window: count({ min: 3, max: 1_000 }).default(HLS_DEFAULTS.window),
  lowLatency: toggle().default(HLS_DEFAULTS.lowLatency),
  always: toggle().default(HLS_DEFAULTS.always),
});

/** As long as HTTP-FLV waits. */
const PULL_MS = 5_000;

/** Maps the section onto what the room wants to know. */
export function hlsOptions({ hls: given, relay }: Pick<Settings, 'hls' | 'relay'>): HlsOptions {
  const { enabled, segment: segmentMs, part: partMs, window, lowLatency, always } = given;
  // What is fetched on demand takes a second or two to come; otherwise nobody need wait to hear that there is nothing.
  const awaitPublisherMs = relay.some(({ pull }) => pull !== undefined) ? PULL_MS : HLS_DEFAULTS.awaitPublisherMs;
  return { ...HLS_DEFAULTS, awaitPublisherMs, enabled, segmentMs, partMs, window, lowLatency, always };
}
