/**
 * Streams for devices, pages and disks: HLS, HTTP-FLV and recordings. This room turns a stream's frames into what is fetched
 * over HTTP or lies in a folder. It only ever follows the hub: each follower has a bounded queue of its own, and none can
 * slow a publisher.
 */
export { HLS_DEFAULTS, type HlsOptions } from './hls/options.ts';
export { Hls, type HlsDependencies, type HlsInfo } from './hls/hls.ts';
export { FLV_DEFAULTS, type FlvOptions } from './http-flv/options.ts';
export { flvRouter } from './http-flv/router.ts';
export { Recorder, type RecorderDependencies } from './recording/recorder.ts';
export type { RecordingInfo, RecordRule } from './recording/recording.ts';
export type { Leftover, RecordingFile, RecordingStore } from './recording/file.ts';
