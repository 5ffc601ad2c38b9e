import { createHash } from 'node:crypto';
import { ecmaArray, encodeAmf0, MessageType } from '../../../src/protocol/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { isMedia } from './dialect.ts';

/**
 * A short broadcast: metadata, the two decoder configurations, one keyframe, then frames of both kinds. One keyframe
 * only, so that whoever comes late still gets all of it from the gateway's memory.
 */
export function makeProgramme(frames: number, videoBytes = 1200): Message[] {
  const metadata = encodeAmf0(
    '@setDataFrame',
    'onMetaData',
    ecmaArray({ width: 320, height: 240, videocodecid: 7, audiocodecid: 10 }),
  );
  const messages = [
    message(MessageType.dataAmf0, 0, metadata),
    message(MessageType.video, 0, Buffer.from('1700000000014d401effe1000a674d401e95a0a0fe780002000168ee3c80', 'hex')),
    message(MessageType.audio, 0, Buffer.from('af001210', 'hex')),
    message(MessageType.video, 0, Buffer.concat([Buffer.from('1701000000', 'hex'), filling(8 * videoBytes, 'key')])),
  ];
  for (let i = 1; i <= frames; i++) {
    const isVideo = i % 2 === 0;
    const head = Buffer.from(isVideo ? '2701000000' : 'af01', 'hex');
    const payload = Buffer.concat([head, filling(isVideo ? videoBytes : 150, `${i};`)]);
    messages.push(message(isVideo ? MessageType.video : MessageType.audio, i * 20, payload));
  }
  return messages;
}

/** Audio and video in short, for comparing what was sent with what arrived. */
export function digestMedia(messages: readonly Message[]): string[] {
  return messages.filter(isMedia).map(({ type, payload }) => `${type} ${payload.length} ${hash(payload)}`);
}

function message(type: number, timestamp: number, payload: Buffer): Message {
  return { type, streamId: 1, timestamp, payload };
}

function filling(length: number, text: string): Buffer {
  return Buffer.alloc(length, text);
}

function hash(payload: Buffer): string {
  return createHash('sha256').update(payload).digest('hex').slice(0, 12);
}
