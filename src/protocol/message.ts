/** One RTMP message: the envelope that chunks carry and commands, media and control travel in (RTMP 1.0, section 6.1). */
export interface Message {
  /** Message type id, see `MessageType`. */
  readonly type: number;
  /** Message stream id: 0 for the connection, else a NetStream. */
  readonly streamId: number;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  /** Its own memory, never a view into a socket's buffer; nobody writes to it. */
  readonly payload: Buffer;
}

/** Message type ids (RTMP 1.0, sections 5.4 and 7.1). */
export const MessageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;
