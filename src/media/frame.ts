import { MessageType, type Message } from '../protocol/index.ts';
import { classifyAudio, classifyVideo, configKeyOf, isKeyframeOf, trackOf, tracksOf } from './codecs.ts';
import { readDataHandler } from './data.ts';

/** Data is everything that is neither sound nor picture: metadata, cue points, captions, ad markers. */
export type FrameKind = 'audio' | 'video' | 'data';

/** One chunked form of a frame other than the usual one; see encoding.ts. */
export interface FrameEncoding {
  readonly streamId: number;
  readonly chunkSize: number;
  readonly bytes: Buffer;
}

/**
 * Media inside the house: one message of a published stream, told apart just far enough to route it.
 *
 * A class whose fields are always assigned in one order, so that all frames share a hidden class and the fan-out loops
 * over them stay monomorphic. Made by `frameFromMessage` and `retimed` only.
 */
export class Frame {
  readonly kind: FrameKind;
  /** RTMP message type id (8, 9, 15 or 18): a data frame keeps the encoding it came in. */
  readonly type: number;
  /** Milliseconds modulo 2^32, on the channel's clock once it is in a channel. */
  readonly timestamp: number;
  /** The message's payload as the publisher sent it, FLV tag body included (less `@setDataFrame`). Never mutated. */
  readonly payload: Buffer;
  /** Carries a decoder configuration (or HDR or stream metadata) that a joining player needs before any frame. */
  readonly isConfig: boolean;
  /** A video frame at which decoding of its track can start. Audio and data are never keyframes. */
  readonly isKeyframe: boolean;
  /** `isConfig` and `clears` only: configurations with equal keys replace each other ("video:0:header", "data:onMetaData"). */
  readonly configKey: string | undefined;
  /** Enhanced RTMP track. 0 is the default track, and what a message without a track id belongs to. */
  readonly track: number;
  /** All tracks of a message that carries several, else undefined. */
  readonly tracks: readonly number[] | undefined;
  /** `@clearDataFrame`: what is stored under `configKey` is to be forgotten. Not for players. */
  readonly clears: boolean;
  /** Owned by encoding.ts: the chunked form that nearly every player gets. */
  encoding: Buffer | undefined;
  /** Owned by encoding.ts: rarer chunked forms. */
  otherEncodings: FrameEncoding[] | undefined;

  constructor(
    kind: FrameKind,
    type: number,
    timestamp: number,
    payload: Buffer,
    isConfig: boolean,
    isKeyframe: boolean,
    configKey: string | undefined,
    track: number,
    tracks: readonly number[] | undefined,
    clears: boolean,
  ) {
    this.kind = kind;
    this.type = type;
    this.timestamp = timestamp;
    this.payload = payload;
    this.isConfig = isConfig;
    this.isKeyframe = isKeyframe;
    this.configKey = configKey;
    this.track = track;
    this.tracks = tracks;
    this.clears = clears;
    this.encoding = undefined;
    this.otherEncodings = undefined;
  }
}

/**
 * Tells what an audio (8), video (9) or data (15, 18) message carries. Never throws: what cannot be understood becomes a
 * plain frame that is passed on untouched. Any other type counts as data.
 */
export function frameFromMessage(message: Message): Frame {
  if (message.type === MessageType.video) return videoFrame(message);
  if (message.type === MessageType.audio) return audioFrame(message);
  return dataFrame(message);
}

function videoFrame(message: Message): Frame {
  const { timestamp, payload } = message;
  const traits = classifyVideo(payload);
  const tracks = tracksOf(traits, payload);
  const key = configKeyOf('video', traits, tracks);
  return new Frame(
    'video',
    9,
    timestamp,
    payload,
    key !== undefined,
    isKeyframeOf(traits),
    key,
    trackOf(traits),
    tracks,
    false,
  );
}

function audioFrame(message: Message): Frame {
  const { timestamp, payload } = message;
  const traits = classifyAudio(payload);
  const tracks = tracksOf(traits, payload);
  const key = configKeyOf('audio', traits, tracks);
  return new Frame('audio', 8, timestamp, payload, key !== undefined, false, key, trackOf(traits), tracks, false);
}

function dataFrame(message: Message): Frame {
  const { type, timestamp } = message;
  const { payload, stores, clears } = readDataHandler(type, message.payload);
  const name = stores ?? clears;
  const key = name === undefined ? undefined : `data:${name}`;
  return new Frame(
    'data',
    type,
    timestamp,
    payload,
    stores !== undefined,
    false,
    key,
    0,
    undefined,
    clears !== undefined,
  );
}

/** The message that carries `frame` on NetStream `streamId`. */
export function messageFromFrame(frame: Frame, streamId: number): Message {
  return { type: frame.type, streamId, timestamp: frame.timestamp, payload: frame.payload };
}

/** The same frame at another time (milliseconds, taken modulo 2^32); the very same object if the time is equal. */
export function retimed(frame: Frame, timestamp: number): Frame {
  const time = timestamp >>> 0;
  if (time === frame.timestamp) return frame;
  const { kind, type, payload, isConfig, isKeyframe, configKey, track, tracks, clears } = frame;
  return new Frame(kind, type, time, payload, isConfig, isKeyframe, configKey, track, tracks, clears);
}
