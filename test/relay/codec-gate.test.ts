import { describe, expect, it } from 'vitest';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { decodeAmf0, ecmaArray, encodeAmf0, type AmfValue } from '../../src/protocol/index.ts';
import { CodecGate } from '../../src/relay/codec-gate.ts';
import {
  aacHeader,
  audio,
  avcHeader,
  cuePoint,
  inter,
  key,
  metadata,
  tracksVideo,
  trackVideo,
} from '../support/frames.ts';

const frame = (type: number, bytes: readonly number[] | Buffer): Frame =>
  frameFromMessage({ type, streamId: 1, timestamp: 40, payload: Buffer.from(bytes) });

const hevcKey = frame(9, [0x93, ...Buffer.from('hvc1'), 1, 2, 3]);
const opus = frame(8, [0x91, ...Buffer.from('Opus'), 1, 2]);
const speex = frame(8, [0xb6, 1, 2]);

const PLAIN = new Set(['avc1', 'mp4a']);

function gate(video: ReadonlySet<string> | undefined = PLAIN, sound: ReadonlySet<string> | undefined = PLAIN) {
  const told: string[] = [];
  return { told, gate: new CodecGate({ video, audio: sound }, (codec) => told.push(codec)) };
}

/** Several tracks with several codecs: | mode 2, coded | for each FourCC, track, size, data |. */
const mixed = (...tracks: readonly (readonly [codec: string, track: number])[]): Frame =>
  frame(9, [0x96, 0x23, ...tracks.flatMap(([codec, track]) => [...Buffer.from(codec), track, 0, 0, 2, 0xaa, track])]);

describe('a gate', () => {
  it('lets through what is allowed, the very same, and tells once of what is not', () => {
    const { gate: codecs, told } = gate();
    for (const good of [avcHeader(), key(0), inter(40), aacHeader(), audio(10), cuePoint(5)])
      expect(codecs.pass(good)).toBe(good);
    for (const bad of [hevcKey, hevcKey, trackVideo('key', 1, 0), tracksVideo('key', [1, 2], 0), opus, speex])
      expect(codecs.pass(bad)).toBeUndefined();
    expect([told, codecs.leftOut]).toEqual([
      ['hvc1', 'Opus', 'speex'],
      ['hvc1', 'Opus', 'speex'],
    ]);
  });

  it('judges nothing where everything may go, one kind alone, or what it does not understand', () => {
    const open = new CodecGate({ video: undefined, audio: undefined }, () => {});
    for (const any of [hevcKey, opus, metadata()]) expect(open.pass(any)).toBe(any);
    const half = new CodecGate({ video: PLAIN, audio: undefined }, () => {});
    expect([half.pass(opus), half.pass(hevcKey)]).toEqual([opus, undefined]);
    const odd = [frame(9, []), frame(8, []), frame(9, [0x90]), frame(9, [0x2f, 1, 2])];
    for (const any of odd) expect(gate().gate.pass(any)).toBe(any);
  });

  it('takes out of a message with several codecs the tracks that may not go', () => {
    const { gate: codecs, told } = gate();
    const passed = codecs.pass(mixed(['hvc1', 0], ['avc1', 1], ['av01', 2], ['avc1', 3]))!;
    expect(passed.payload).toEqual(mixed(['avc1', 1], ['avc1', 3]).payload);
    expect([passed.tracks, passed.isKeyframe, passed.timestamp]).toEqual([[1, 3], true, 40]);
    const all = mixed(['avc1', 0], ['avc1', 1]);
    expect(codecs.pass(all)).toBe(all);
    expect(codecs.pass(mixed(['hvc1', 0], ['av01', 1]))).toBeUndefined();
    expect(told).toEqual(['hvc1', 'av01']);
  });

  it('remembers sixteen codecs that it left out, and tells of no more', () => {
    const { gate: codecs, told } = gate();
    for (let i = 0; i < 17; i++) codecs.pass(frame(9, [0x93, ...Buffer.from(`no${10 + i}`), 1]));
    expect([told.length, told[15], codecs.leftOut]).toEqual([16, 'no25', told]);
  });

  it('knows HEVC that calls itself AVC by its configuration (OBS before 29.1)', () => {
    const record = Buffer.alloc(23);
    record.set([1, 1, 0x60], 0);
    record.set([0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8], 13);
    const { gate: codecs, told } = gate();
    expect(codecs.pass(frame(9, [0x17, 0, 0, 0, 0, ...record]))).toBeUndefined();
    expect([codecs.pass(key(0)), codecs.pass(inter(40))]).toEqual([undefined, undefined]);
    expect(told).toEqual(['hvc1']);
    expect(codecs.pass(avcHeader())).toBeDefined();
    expect(codecs.pass(key(80))).toBeDefined();
  });
});

/** A key of 40,000 bytes, and nothing behind it; the end of an object. */
const longKey = (byte: number): Buffer => Buffer.concat([Buffer.from('9c40', 'hex'), Buffer.alloc(40_000, byte), NULL]);
const NULL = Buffer.of(5);
const END = Buffer.of(0, 0, 9);

describe('metadata', () => {
  const of = (values: Readonly<Record<string, AmfValue>>, type = 18): Frame => {
    const body = encodeAmf0('onMetaData', ecmaArray(values));
    return frame(type, type === 15 ? Buffer.concat([Buffer.of(0), body]) : body);
  };
  const both = { width: 1920, videocodecid: 1752589105, audiocodecid: 10, audiochannels: 2, encoder: 'x' };
  const keysOf = ({ payload, type }: Frame): string[] => [
    ...(decodeAmf0(payload.subarray(type === 15 ? 1 : 0))[1] as Map<string, AmfValue>).keys(),
  ];

  it.each([18, 15])('no longer tells of a picture that is left out (type %i)', (type) => {
    const passed = gate().gate.pass(of(both, type))!;
    expect(keysOf(passed)).toEqual(['audiocodecid', 'audiochannels', 'encoder']);
    expect([passed.configKey, passed.type]).toEqual(['data:onMetaData', type]);
  });

  it.each([
    [{ width: 1, videocodecid: 'hvc1' }, ['encoder']],
    [{ width: 1, videocodecid: 12 }, ['encoder']],
    [{ stereo: true, audiocodecid: 1332770163 }, ['encoder']],
    [{ stereo: true, audiocodecid: 2 }, ['encoder']],
  ])('nor of any other: %j', (values, keys) => {
    expect(keysOf(gate().gate.pass(of({ ...values, encoder: 'x' }))!)).toEqual(keys);
  });

  it.each([
    of({ width: 1, videocodecid: 7, audiocodecid: 10 }),
    of({ width: 1, videocodecid: 99, audiocodecid: Number.NaN }),
    of({ width: 1 }),
    metadata(),
    frame(18, encodeAmf0('onMetaData', 'text')),
    frame(18, Buffer.concat([encodeAmf0('onMetaData'), Buffer.of(3, 0, 200)])),
    // Bytes that are no UTF-8 grow as they are read: such a key cannot be written again.
    frame(18, Buffer.concat([of({ videocodecid: 12 }).payload.subarray(0, -3), longKey(0xff), END])),
  ])('stays as it is where nothing is left out or nothing can be told', (same) => {
    expect(gate().gate.pass(same)).toBe(same);
  });
});
