import { LimitError, ProtocolError } from '../errors.ts';
import { MessageType, type Message } from './message.ts';
import { addTimestamp } from './timestamp.ts';

/**
 * Parts of one aggregate. Flash Media Server and Wowza edges gather some dozens; a tag without content is 15 bytes, so
 * that without a limit one message of 8 MiB would become half a million.
 */
export const MAX_AGGREGATE_PARTS = 4096;

const TAG_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;

/**
 * The audio, video and data messages inside an aggregate (type 22; RTMP 1.0, section 7.1.6), whose payload is FLV tags:
 *
 *     | type (1) | length (3) | time (3) | time, upper 8 bits (1) | stream id (3) | content | back pointer (4) | …
 *
 * Tag times count from the first tag's, the message's own time being that tag's. What is cut short at the end is left
 * out: senders often omit the last back pointer or truncate the last tag. Payloads are views of the aggregate's.
 * Throws `ProtocolError` AGGREGATE_NESTED and `LimitError` AGGREGATE_PARTS.
 */
export function unpackAggregate(aggregate: Message): Message[] {
  const { payload, streamId } = aggregate;
  const parts: Message[] = [];
  let firstTime: number | undefined;
  let count = 0;
  for (let start = 0; start + TAG_HEADER_BYTES <= payload.length;) {
    const end = start + TAG_HEADER_BYTES + payload.readUIntBE(start + 1, 3);
    if (end > payload.length) break;
    if (++count > MAX_AGGREGATE_PARTS) throw new LimitError('AGGREGATE_PARTS', 'aggregate message of too many parts');
    const type = payload[start]!;
    if (type === MessageType.aggregate) throw new ProtocolError('AGGREGATE_NESTED', 'aggregate inside an aggregate');
    const time = payload.readUIntBE(start + 4, 3) + payload[start + 7]! * 0x1_00_00_00;
    firstTime ??= time;
    if (isPart(type)) {
      // ToUint32 brings the sum, however far off, into 32 bits: aggregates do cross the wrap of the clock.
      const timestamp = addTimestamp(aggregate.timestamp, time - firstTime);
      parts.push({ type, streamId, timestamp, payload: payload.subarray(start + TAG_HEADER_BYTES, end) });
    }
    start = end + BACK_POINTER_BYTES;
  }
  return parts;
}

function isPart(type: number): boolean {
  return (
    type === MessageType.audio ||
    type === MessageType.video ||
    type === MessageType.dataAmf0 ||
    type === MessageType.dataAmf3
  );
}
