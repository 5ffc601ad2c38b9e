import { decodeAmf0, AmfObject, type AmfValue } from '../../src/protocol/amf0.ts';
import { decodeCall } from '../../src/protocol/call.ts';
import { decodeControl, isControl } from '../../src/protocol/control.ts';
import { MessageType, type Message } from '../../src/protocol/message.ts';

/** One message in words, so that a test can compare whole conversations: "onStatus@1 NetStream.Play.Start". */
export function inWords(message: Message): string {
  const { type, streamId, payload } = message;
  if (isControl(type)) return Object.values(decodeControl(message)).join(' ');
  switch (type) {
    case MessageType.commandAmf0:
    case MessageType.commandAmf3:
      return callInWords(message);
    case MessageType.dataAmf0:
      return `data@${streamId} ${decodeAmf0(payload).map(valueInWords).join(' ')}`;
    case MessageType.audio:
      return `audio@${streamId} +${message.timestamp} ${payload.length}`;
    case MessageType.video:
      return `video@${streamId} +${message.timestamp} ${payload.length}`;
    default:
      return `type ${type}@${streamId} ${payload.length}`;
  }
}

/** name, transaction unless 0, stream unless 0, and the arguments; a status is its code alone. */
function callInWords(message: Message): string {
  const { name, transactionId, streamId, object, args } = decodeCall(message);
  const head = name + (streamId === 0 ? '' : `@${streamId}`) + (transactionId === 0 ? '' : ` ${transactionId}`);
  const isNotice = transactionId === 0 && object === null;
  return [head, ...(isNotice ? args : [object, ...args]).map(valueInWords)].join(' ');
}

function valueInWords(value: AmfValue): string {
  if (value instanceof AmfObject) {
    const code = value.get('code');
    return typeof code === 'string' ? code : `{${[...value.keys()].join(' ')}}`;
  }
  return String(value);
}
