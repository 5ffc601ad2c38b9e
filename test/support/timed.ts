import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { ecmaArray, encodeAmf0, object, type AmfValue } from '../../src/protocol/index.ts';

/** A data message as encoders send it in the middle of a stream. */
export function data(timestamp: number, ...values: AmfValue[]): Frame {
  return frameFromMessage({ type: 18, streamId: 1, timestamp, payload: encodeAmf0(...values) });
}

/** In the form of AMF3: a format byte before AMF0. */
export function data3(timestamp: number, ...values: AmfValue[]): Frame {
  const payload = Buffer.concat([Buffer.from([0]), encodeAmf0(...values)]);
  return frameFromMessage({ type: 15, streamId: 1, timestamp, payload });
}

/** Wowza's example of text in a stream. */
export function textData(timestamp: number, text: string): Frame {
  return data(timestamp, 'onTextData', object({ text, language: 'eng', trackid: 1 }));
}

/** A cue point of Adobe's (ActionScript 3, NetStream.onCuePoint). */
export function cue(timestamp: number, name: string, parameters: Readonly<Record<string, AmfValue>> = {}): Frame {
  const type = 'event';
  return data(
    timestamp,
    'onCuePoint',
    object({ name, time: timestamp / 1000, type, parameters: ecmaArray(parameters) }),
  );
}

/** SCTE-35 as Adobe Primetime has it ("Digital Program Insertion Signaling", 1.2); `time`: seconds. */
export function adCue(timestamp: number, section: string | Buffer, time = timestamp / 1000): Frame {
  const text = typeof section === 'string' ? section : section.toString('base64');
  return data(timestamp, 'onAdCue', object({ cue: text, type: 'scte35', id: '1', duration: 0, time }));
}
