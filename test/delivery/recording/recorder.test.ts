import { describe, expect, it } from 'vitest';
import { Recorder, type RecordRule } from '../../../src/delivery/index.ts';
import { Hub, streamName } from '../../../src/hub/index.ts';
import { flvHeader, flvTag, readFlvTagHead, type Frame } from '../../../src/media/index.ts';
import { aacHeader, audio, avcHeader, inter, key } from '../../support/frames.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { recordingLog } from '../../support/recording-log.ts';

const NAME = streamName('live', 'cam');
const RULE: RecordRule = { match: 'live/*', directory: 'records', format: 'flv', splitMs: null, splitBytes: null };
const NOON = Date.UTC(2026, 7, 1, 12);

function stage(...rules: readonly Partial<RecordRule>[]) {
  const store = new MemoryStore();
  const hub = new Hub({ graceMs: 0 });
  const { log, lines } = recordingLog();
  const clock = { now: NOON };
  const deps = { hub, log, store, wallClock: () => clock.now };
  const recorder = new Recorder(
    rules.map((rule) => ({ ...RULE, ...rule })),
    deps,
  );
  recorder.start();
  const publish = (name = NAME) => hub.publish(name, { end: () => {} }, 0);
  const send = async (to: ReturnType<typeof publish>, ...frames: readonly Frame[]) => {
    for (const frame of frames) to.write(frame, 0);
    await settled();
  };
  return { store, hub, lines, clock, recorder, publish, send };
}

/** Everything here waits for memory only. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** "9@40": the types and times of all tags but the first, which is the metadata. */
function tagsIn(file: Buffer): string[] {
  const tags: string[] = [];
  for (let at = flvHeader().length; at < file.length;) {
    const head = readFlvTagHead(file.subarray(at))!;
    tags.push(`${head.type}@${head.timestamp}`);
    at += 15 + head.size;
    expect(file.readUInt32BE(at - 4)).toBe(11 + head.size);
  }
  return tags.slice(1);
}

const START = [avcHeader(), aacHeader(), key(0), audio(5)];

describe('A recorder', () => {
  it('records what its rules match, each in a file of its own, and nothing else', async () => {
    const { store, publish, send, recorder } = stage({}, { match: '**', directory: 'all' }, { match: 'other/*' });
    await send(publish(), ...START);
    await send(publish(streamName('vod', 'x')), ...START);
    expect(recorder.list().map(({ path }) => path)).toEqual([
      'records/live/cam-20260801T120000.000Z.flv',
      'all/live/cam-20260801T120000.000Z.flv',
      'all/vod/x-20260801T120000.000Z.flv',
    ]);
    await recorder.stop();
    expect(store.files.map(({ state }) => state)).toEqual(['whole', 'whole', 'whole']);
    expect(recorder.list()).toEqual([]);
  });

  it('makes a file whole when the stream ends, with its length and its kinds of tags', async () => {
    const { store, publish, send, hub } = stage({});
    const publication = publish();
    await send(publication, ...START, inter(2500));
    publication.end(0);
    await settled();
    const [file] = store.files;
    expect(file!.state).toBe('whole');
    expect(tagsIn(file!.bytes)).toEqual(['9@0', '8@0', '9@0', '8@5', '9@2500']);
    expect(file!.bytes[4]).toBe(5);
    expect(file!.bytes.includes(flvTag(9, 2500, inter(2500).payload))).toBe(true);
    // The stream sent no metadata: the file got some of its own.
    const at = file!.bytes.indexOf('duration') + 'duration'.length + 1;
    expect(file!.bytes.readDoubleBE(at)).toBe(2.5);
    expect([...hub.streams()]).toEqual([]);
  });

  it('is no player: it keeps nobody, and wants nothing from elsewhere', async () => {
    const { hub, publish, send } = stage({});
    await send(publish(), ...START);
    expect(hub.playersOf(NAME)).toBe(0);
  });

  it('never holds up a publisher, however slow the disk', async () => {
    const { store, publish, send } = stage({});
    const publication = publish();
    let open = () => {};
    store.gate = new Promise<void>((resolve) => (open = resolve));
    await send(publication, ...START);
    for (let at = 40; at < 25_000; at += 40) publication.write(inter(at), 0);
    await settled();
    expect(store.files[0]!.bytes.length).toBe(0);
    open();
    await settled();
    publication.end(0);
    await settled();
    expect(tagsIn(store.files[0]!.bytes)).toHaveLength(START.length + 624);
  });

  it('takes ten minutes of stream that come at once, as from an FFmpeg without -re', async () => {
    const { store, publish, send, lines } = stage({});
    const publication = publish();
    await send(publication, ...START);
    for (let at = 40; at < 600_000; at += 40) publication.write(at % 2000 === 0 ? key(at) : inter(at), 0);
    await settled();
    publication.end(0);
    await settled();
    expect(tagsIn(store.files[0]!.bytes)).toHaveLength(START.length + 14_999);
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it.each([
    [65_536, 0],
    [65_537, 65_537],
  ])('lets %i frames wait at once, of which it drops %i', async (frames, dropped) => {
    const { publish, send, recorder } = stage({});
    const publication = publish();
    await send(publication, ...START);
    for (let at = 1; at <= frames; at++) publication.write(inter(at), 0);
    expect(recorder.list()[0]!.dropped).toBe(dropped);
    await settled();
  });

  it('drops up to a keyframe when the disk is slower than the stream, and says so', async () => {
    const { store, publish, send, lines } = stage({});
    const publication = publish();
    let open = () => {};
    store.gate = new Promise<void>((resolve) => (open = resolve));
    await send(publication, ...START, inter(1500));
    const half = 512 * 1024;
    for (let at = 2_000; at < 62_000; at += 500) {
      publication.write(at % 5000 === 0 ? key(at, 0, half) : inter(at, 0, half), 0);
    }
    open();
    await settled();
    publication.end(0);
    await settled();
    const times = tagsIn(store.files[0]!.bytes).map((tag) => Number(tag.split('@')[1]));
    const gap = times.findIndex((time, index) => time - (times[index - 1] ?? 0) > 2_000);
    expect(times[gap]! % 5000).toBe(0);
    expect(lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'the disk is too slow: frames are missing from a recording',
    ]);
  });
});

describe('A full disk', () => {
  it('is said in one line; the file is whole up to there, and the stream goes on', async () => {
    const { store, publish, send, lines, hub } = stage({});
    const publication = publish();
    await send(publication, ...START, inter(1000));
    const before = store.files[0]!.bytes;
    store.room = 10;
    await send(publication, inter(2000), inter(3000), key(4000), inter(5000), key(6000));
    expect(store.files).toHaveLength(1);
    expect(store.files[0]!.state).toBe('whole');
    expect(tagsIn(store.files[0]!.bytes)).toEqual(tagsIn(before));
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'recording stopped: the disk is full; the stream goes on', fields: { code: 'ENOSPC' } },
    ]);
    expect([...hub.streams()][0]?.publishing).toBe(true);
  });

  it('is tried again after a minute, when there is room: another file, from a keyframe', async () => {
    const { store, publish, send, lines, clock } = stage({});
    const publication = publish();
    await send(publication, ...START);
    store.room = 0;
    await send(publication, inter(2000), key(3000));
    clock.now += 60_000;
    await send(publication, inter(4000), key(5000));
    expect(store.files).toHaveLength(1);
    store.room = 1_000_000;
    await send(publication, key(6000));
    expect(store.files).toHaveLength(1);
    clock.now += 60_000;
    await send(publication, inter(7000), key(8000), inter(8040));
    publication.end(0);
    await settled();
    expect(store.files).toHaveLength(2);
    expect(tagsIn(store.files[1]!.bytes)).toEqual(['9@0', '8@0', '9@0', '9@40']);
    expect(lines.filter(({ message }) => message.includes('stopped'))).toHaveLength(1);
    expect(lines.some(({ message }) => message === 'recording goes on')).toBe(true);
  });

  it('from the first byte on leaves no file behind', async () => {
    const { store, publish, send } = stage({});
    store.room = 0;
    await send(publish(), ...START, inter(2000));
    expect(store.files.map(({ state }) => state)).toEqual(['removed']);
  });
});

describe('What a former run left', () => {
  const left = { path: 'records/live/cam-1.flv.part', size: 5, modifiedMs: 1 };

  it('is made whole once nobody has written it for a while', async () => {
    const { store, recorder, lines } = stage({});
    store.found = [left];
    recorder.tick(1_000);
    await settled();
    recorder.tick(20_999);
    await settled();
    expect(store.mended).toEqual([]);
    recorder.tick(21_000);
    await settled();
    recorder.tick(60_000);
    await settled();
    expect(store.mended).toEqual([left.path]);
    expect(lines.at(-1)).toMatchObject({ fields: { file: 'records/live/cam-1.flv' } });
  });

  it.each([
    ['grew', { size: 6 }],
    ['was touched', { modifiedMs: 2 }],
  ])('is left alone when it %s meanwhile: another gateway writes it', async (_, change) => {
    const { store, recorder, lines } = stage({});
    store.found = [left];
    recorder.tick(0);
    await settled();
    store.found = [{ ...left, ...change }];
    recorder.tick(30_000);
    await settled();
    expect(store.mended).toEqual([]);
    expect(lines.at(-1)?.message).toBe('an unfinished recording is left alone: somebody else writes it');
  });

  it('is told from what is being written by a touch every five seconds', async () => {
    const { store, recorder, publish, send } = stage({});
    await send(publish(), ...START);
    for (let now = 0; now <= 12_000; now += 100) recorder.tick(now + 5_000);
    await settled();
    expect(store.files[0]!.touches).toBe(3);
  });
});
