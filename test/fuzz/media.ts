import { RejectedError } from '../../src/errors.ts';
import { streamName } from '../../src/hub/index.ts';
import {
  audioConfig,
  codecOf,
  encodingOf,
  frameFromMessage,
  MAX_TIMED_EVENT_BYTES,
  packetsOf,
  soundSamples,
  transferOf,
  readSplice,
  readTimedEvent,
  videoConfig,
  type Frame,
} from '../../src/media/index.ts';
import { string } from '../support/frames.ts';
import type { SeededRandom } from '../support/random.ts';
import { crc32, ELEMENTAL_OUT, INSERT_OUT, OPPORTUNITY_START } from '../support/splices.ts';
import { adCue, cue, data3, textData } from '../support/timed.ts';

/** One thing to throw random input at: `run` throws at the first input that is treated wrongly. */
export interface FuzzTarget {
  readonly name: string;
  run(random: SeededRandom, iterations: number): void;
}

/** Whole beginnings, so that random bytes get past the first check now and then. */
const BEGINNINGS: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from([0x17, 0, 0, 0, 0]),
  Buffer.from([0x1c, 1, 0, 0, 0]),
  Buffer.from([0xaf, 0]),
  Buffer.from('\x97\x00\x00', 'latin1'),
  Buffer.from('\x97\xff\x00\x05', 'latin1'),
  Buffer.from('\x91hvc1', 'latin1'),
  Buffer.from('\x96\x13hvc1', 'latin1'),
  Buffer.from('\x96\x20', 'latin1'),
  Buffer.from('\x95\x10mp4a', 'latin1'),
  Buffer.from('\x95\x20Opus', 'latin1'),
  string('@setDataFrame'),
  Buffer.concat([string('@setDataFrame'), string('onMetaData')]),
  Buffer.concat([Buffer.from([0]), string('@setDataFrame')]),
  string('@clearDataFrame'),
];

/** Sizes and track ids are mostly small, or nearly every list of tracks would be cut short at its first entry. */
function tail(random: SeededRandom): Buffer {
  const bytes = random.bytes(random.int(64));
  if (random.int(2) === 0) for (let i = 0; i < bytes.length; i++) bytes[i] = random.int(5) === 0 ? bytes[i]! & 7 : 0;
  return bytes;
}

function check(frame: Frame, type: number, payload: Buffer): void {
  const fits =
    frame.type === type &&
    frame.isConfig === (frame.configKey !== undefined && !frame.clears) &&
    !(frame.isConfig && frame.isKeyframe) &&
    (frame.kind === 'video' || !frame.isKeyframe) &&
    (frame.tracks === undefined || frame.tracks.includes(frame.track)) &&
    (frame.kind === 'data'
      ? payload.subarray(-frame.payload.length).equals(frame.payload) || type === 15
      : frame.payload === payload);
  if (!fits) throw new Error(`misread: type ${type}, ${payload.toString('hex')}`);
}

const frames: FuzzTarget = {
  name: 'frameFromMessage',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const type = random.pick([8, 9, 15, 18]);
      const payload = Buffer.concat([random.pick(BEGINNINGS), tail(random)]);
      const before = payload.toString('hex');
      const frame = frameFromMessage({ type, streamId: 1, timestamp: random.bytes(4).readUInt32BE(), payload });
      check(frame, type, payload);
      codecOf(frame);
      encodingOf(frame, 1 + random.int(3), 1 + random.int(200));
      if (payload.toString('hex') !== before) throw new Error(`a payload was written to: ${before}`);
    }
  },
};

/** Beginnings of decoder configurations and keyframes, behind which random bytes are read as parameter sets. */
const RECORDS: readonly (readonly [fourCc: string, beginning: Buffer])[] = [
  ['avc1', Buffer.from('\x01\x64\x00\x1f\xff\xe1\x00\x20\x67\x64', 'latin1')],
  ['hvc1', Buffer.concat([Buffer.alloc(22, 1), Buffer.from([1, 0x21, 0, 1, 0, 40])])],
  ['av01', Buffer.from([0x81, 5, 0, 0, 0x0a, 20])],
  ['vp09', Buffer.from([0x82, 0x49, 0x83, 0x42])],
  ['mp4a', Buffer.alloc(0)],
  ['Opus', Buffer.from('OpusHead')],
  ['fLaC', Buffer.from('fLaC\x80\0\0\x22\x10\0\x12\0', 'latin1')],
  ['.mp3', Buffer.from([0xff, 0xfb, 0x90])],
  ['ac-3', Buffer.from([0x0b, 0x77, 1, 2, 0x1e, 0x40])],
  ['ec-3', Buffer.from([0x0b, 0x77, 0, 2, 0x24, 0x80])],
];

/** The longest packet of sound there is: Opus may have 63 times 60 ms at 48 kHz; FLAC's has 65,536 samples. */
const MAX_SAMPLES = 63 * 2880;

const configurations: FuzzTarget = {
  name: 'packetsOf',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const payload = Buffer.concat([random.pick(BEGINNINGS), tail(random)]);
      const frame = frameFromMessage({ type: random.pick([8, 9]), streamId: 1, timestamp: 0, payload });
      for (const { data, track } of packetsOf(frame)) {
        if (data.length > payload.length || track > 255) throw new Error(`no part of it: ${payload.toString('hex')}`);
      }
      const [fourCc, beginning] = random.pick(RECORDS);
      const record = Buffer.concat([beginning, tail(random)]);
      const other = random.int(2) === 0 ? undefined : record;
      const video = videoConfig(fourCc, other, record);
      const audio = audioConfig(fourCc, other, record);
      const sides = video === undefined ? [1] : [video.width, video.height];
      if (!sides.every((side) => Number.isInteger(side) && side >= 1 && side <= 0xffff) || (audio?.channels ?? 1) < 1)
        throw new Error(`no configuration: ${fourCc} ${record.toString('hex')}`);
      const samples = audio === undefined ? 0 : soundSamples(audio, record);
      if (!(samples >= 0 && samples <= MAX_SAMPLES)) throw new Error(`no packet: ${record.toString('hex')}`);
      transferOf(record);
    }
  },
};

const EVENTS: readonly Buffer[] = [
  textData(0, 'text').payload,
  cue(0, 'name', { a: 1, b: [true, null, 'x'] }).payload,
  adCue(0, INSERT_OUT).payload,
  data3(0, 'onX', new Date(0), 'x').payload,
];
const SECTIONS: readonly Buffer[] = [
  Buffer.from(INSERT_OUT, 'base64'),
  Buffer.from(OPPORTUNITY_START, 'base64'),
  Buffer.from(ELEMENTAL_OUT, 'hex'),
];

/** A copy with some bytes changed, now and then cut short. */
function damaged(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = random.int(4); i > 0; i--) copy[random.int(copy.length)] = random.int(256);
  return random.int(4) === 0 ? copy.subarray(0, random.int(copy.length)) : copy;
}

/** A damaged section whose checksum is right again, so that what is inside is read. */
function resealed(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = damaged(bytes, random);
  if (copy.length < 20) return copy;
  copy[0] = 0xfc;
  copy.writeUInt16BE(0x3000 | (copy.length - 3), 1);
  copy.writeUInt32BE(crc32(copy.subarray(0, -4)), copy.length - 4);
  return copy;
}

const events: FuzzTarget = {
  name: 'readTimedEvent',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const type = random.pick([15, 18]);
      const payload = damaged(random.pick(EVENTS), random);
      const event = readTimedEvent(frameFromMessage({ type, streamId: 1, timestamp: 0, payload }));
      if (event !== undefined) {
        const isBad = event.name === '' || Buffer.byteLength(event.text) > MAX_TIMED_EVENT_BYTES;
        JSON.parse(event.text);
        if (isBad) throw new Error(`no event: ${payload.toString('hex')}`);
      }
      const section = resealed(random.pick(SECTIONS), random);
      for (const { key, durationMs = 0 } of readSplice(section)?.marks ?? []) {
        if (key === '' || !(durationMs >= 0)) throw new Error(`no splice: ${section.toString('hex')}`);
      }
    }
  },
};

/** Pieces that mean something in names, beside plain letters. */
const PIECES = [
  '/',
  '//',
  '.',
  '..',
  '?',
  'mp4:',
  '_definst_',
  '\\',
  '\0',
  ' ',
  'a\u0308',
  '\u{1f600}',
  '\ud83d',
  '\u202e',
  'k',
  'live',
  '%2e',
  'x'.repeat(90),
];

function randomText(random: SeededRandom): string {
  const length = random.int(6);
  let text = '';
  for (let i = 0; i < length; i++)
    text += random.int(4) === 0 ? String.fromCharCode(random.int(0x1_0000)) : random.pick(PIECES);
  return text;
}

const names: FuzzTarget = {
  name: 'streamName',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const [app, name] = [randomText(random), randomText(random)];
      try {
        const made = streamName(app, name);
        // A name is made once: made again of itself it must not change.
        const again = streamName(made.app, made.key);
        const clean = [made.app, made.key].every(
          (part) => !/[\p{C}\\?]|^\/|\/\/|\/$/u.test(part) && Buffer.byteLength(part) <= 255,
        );
        if (!clean || made.key === '' || again.app !== made.app || again.key !== made.key) throw new Error('unclean');
      } catch (error) {
        if (!(error instanceof RejectedError))
          throw new Error(`${JSON.stringify([app, name])}: ${String(error)}`, { cause: error });
      }
    }
  },
};

export const targets: readonly FuzzTarget[] = [frames, configurations, events, names];
