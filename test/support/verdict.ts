import { frameFromMessage, type Frame } from '../../src/media/index.ts';

/** A frame of a message of this type with these bytes. */
export function frame(type: number, ...parts: (readonly number[] | Buffer | string)[]): Frame {
  const payload = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))),
  );
  return frameFromMessage({ type, streamId: 1, timestamp: 40, payload });
}

/** What a frame was taken for, in one word or two. */
export function verdict(it: Frame): string {
  if (it.isKeyframe) return `key ${it.track}`;
  return it.configKey ?? (it.clears ? 'clears' : 'plain');
}
