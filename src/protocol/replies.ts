import { encodeAmf0, object, type AmfObject, type AmfValue } from './amf0.ts';
import { readCapabilities, relayCapabilities } from './enhanced.ts';
import { MessageType, type Message } from './message.ts';
import { status, type Status } from './status.ts';

/** What a server says in answer, as AMF values and messages. */

/**
 * The properties of a connect result. The version is the one nginx-rtmp gives: Flash asks newer ones for more. Of the
 * capability bits Flash makes nothing; 31 is every server's.
 */
export function serverProperties(): AmfObject {
  return object({ fmsVer: 'FMS/3,0,1,123', capabilities: 31, mode: 1 });
}

/**
 * The info of a connect result. Object encoding 0, whatever was asked: then Flash speaks AMF0 too. Enhanced RTMP's
 * entries go to those that announced theirs (where to put them: veovera/enhanced-rtmp#11).
 */
export function connectInfo(properties: AmfValue): AmfObject {
  const info = statusInfo(status('NetConnection.Connect.Success', 'Connection succeeded.'));
  info.set('objectEncoding', 0);
  const asked = readCapabilities(properties);
  if (asked) for (const [key, value] of relayCapabilities(asked)) info.set(key, value);
  return info;
}

/** A status as the info object that carries it. */
export function statusInfo({ level, code, description }: Status): AmfObject {
  return object({ level, code, description });
}

/** Lets Flash look at the samples it plays (RtmpSampleAccess); Flash and FFmpeg both expect it after Play.Start. */
export function sampleAccess(streamId: number): Message {
  return {
    type: MessageType.dataAmf0,
    streamId,
    timestamp: 0,
    payload: encodeAmf0('|RtmpSampleAccess', true, true),
  };
}
