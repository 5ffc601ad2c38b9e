/** How streams are cut and kept for HLS. Times in milliseconds. */
export interface HlsOptions {
  readonly enabled: boolean;
  /** A segment ends at the first keyframe after so long. */
  readonly segmentMs: number;
  /** About how long a part of low-latency HLS is. */
  readonly partMs: number;
  /** Segments in a playlist. */
  readonly window: number;
  readonly lowLatency: boolean;
  /** Mux every stream from its beginning, watched or not. */
  readonly always: boolean;
  /** A stream that nobody asks for any more is muxed for so long. */
  readonly idleMs: number;
  /** After the publisher left for good, its playlist waits so long for another before it says that this was the end. */
  readonly lingerMs: number;
  /** How long a first request waits for something to show. */
  readonly startMs: number;
  /** How long a first request waits for a publisher, such as a relay that has to fetch the stream. */
  readonly awaitPublisherMs: number;
  /** Streams muxed at a time. */
  readonly maxStreams: number;
  /** Tracks of one stream that are made playlists of. */
  readonly maxRenditions: number;
  /** Media bytes kept of one track. */
  readonly maxRenditionBytes: number;
  /** Media bytes kept of all streams. */
  readonly maxMemoryBytes: number;
  /** Requests that wait for one stream. */
  readonly maxWaiting: number;
}

export const HLS_DEFAULTS: HlsOptions = Object.freeze({
  enabled: true,
  /** Encoders for live are nearly always told a keyframe every two seconds; Apple's six make the delay of plain HLS 18 s. */
  segmentMs: 2_000,
  /** Apple's examples: a third of a second, three of which are the least a player stays behind. */
  partMs: 333,
  /** Twice the three segments that players start behind the end. */
  window: 6,
  lowLatency: true,
  always: false,
  /** A player that pauses to buffer asks at least every target duration. */
  idleMs: 30_000,
  /** An encoder that is restarted by hand. */
  lingerMs: 60_000,
  /** Longer than the keyframe interval that x264 chooses by itself (250 pictures at 25 a second). */
  startMs: 12_000,
  awaitPublisherMs: 0,
  /** As many as have room at 1.2 MiB each: 12 s and as much again of 400 kbit/s. */
  maxStreams: 400,
  /** OBS sends up to six renditions and a second sound track. */
  maxRenditions: 8,
  /** 24 s of 40 Mbit/s. */
  maxRenditionBytes: 128 * 1024 * 1024,
  /** As much as the last groups of pictures of all streams may have. */
  maxMemoryBytes: 512 * 1024 * 1024,
  maxWaiting: 2_000,
});
