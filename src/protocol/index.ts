/**
 * RTMP as a language, and nothing but: bytes in, events out, bytes to send. This room owns the handshake, the chunk
 * layer, AMF, commands and status codes, and the two sessions that put them together: `ServerSession` for the side that
 * answers, `ClientSession` for the side that asks. It has no sockets, no timers and no clock; it does not know what a
 * payload means (media does) nor who watches whom (hub does). Every fault of a peer's is a `ProtocolError`.
 */
export {
  AMF_LIMITS,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  AmfXml,
  decodeAmf0,
  ecmaArray,
  encodeAmf0,
  object,
} from './amf0.ts';
export type { AmfLimits, AmfValue } from './amf0.ts';
export { decodeCall, encodeCall, property } from './call.ts';
export type { Call } from './call.ts';
export { CHUNK_READER_LIMITS, ChunkReader, STRANGER_CHUNK_READER_LIMITS } from './chunk-reader.ts';
export type { ChunkReaderLimits } from './chunk-reader.ts';
export { encodeWhole } from './chunk-writer.ts';
export { authStep, withQuery } from './client-auth.ts';
export type { AuthStep, ClientCredentials } from './client-auth.ts';
export { ClientSession } from './client-session.ts';
export type { ClientEvent, ConnectParameters, PlayOptions, RefusedEvent } from './client-events.ts';
export { CapsEx, FourCcInfo, readCapabilities } from './enhanced.ts';
export type { Capabilities } from './enhanced.ts';
export { Handshake } from './handshake.ts';
export { MessageType } from './message.ts';
export type { Message } from './message.ts';
export { ServerSession } from './server-session.ts';
export type { ConnectRequest, MediaReceived, PlayRequest, PublishRequest, ServerEvent } from './server-events.ts';
export type { Session } from './session.ts';
export { SESSION_DEFAULTS } from './session-options.ts';
export type { SessionOptions, SessionSettings } from './session-options.ts';
export { status } from './status.ts';
export type { Status, StatusCode, StatusLevel } from './status.ts';
export { addTimestamp, compareTimestamps } from './timestamp.ts';
