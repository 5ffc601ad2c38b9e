/** Media inside the house: one message of a published stream, told apart just far enough to route it. */
export interface Frame {
  readonly kind: 'audio' | 'video' | 'data';
  /** RTMP message type id (8, 9, 15 or 18): a data frame keeps the encoding it came in. */
  readonly type: number;
  /** Milliseconds modulo 2^32, on the channel's clock once it is in a channel. */
  readonly timestamp: number;
  /** The message's payload as the publisher sent it, FLV tag body included. Never mutated. */
  readonly payload: Buffer;
  /** Carries a decoder configuration (or HDR metadata) that a joining player needs before any frame. */
  readonly isConfig: boolean;
  /** A video frame at which decoding can start. Audio and data are never keyframes. */
  readonly isKeyframe: boolean;
  /** `isConfig` only: configurations with equal keys replace each other ("video:0:header", "audio:1:header", …). */
  readonly configKey: string | undefined;
}
