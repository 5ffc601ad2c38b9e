import { describe, expect, it } from 'vitest';
import { ConfigStore, MAX_CONFIG_BYTES, MAX_CONFIGS } from '../../src/hub/config-store.ts';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { aacHeader, avcHeader, metadata, trackHeader } from '../support/frames.ts';

function header(size: number): Frame {
  const payload = Buffer.alloc(size, 1);
  payload[0] = 0x17;
  payload[1] = 0;
  return frameFromMessage({ type: 9, streamId: 1, timestamp: 0, payload });
}

describe('the configurations of a stream', () => {
  it('are listed as players want them: metadata, video, audio', () => {
    const store = new ConfigStore();
    const [audio, video, track, data] = [aacHeader(), avcHeader(), trackHeader(1), metadata()];
    for (const frame of [audio, track, video, data]) expect(store.remember(frame)).toBe(true);
    expect(store.list()).toEqual([data, track, video, audio]);
    expect(store.list()).toBe(store.list());
  });

  it('replace each other by key, and an identical one is none', () => {
    const store = new ConfigStore();
    expect(store.remember(avcHeader(0, 1))).toBe(true);
    expect(store.remember(avcHeader(900, 1))).toBe(false);
    expect(store.remember(avcHeader(900, 2))).toBe(true);
    expect(store.list()).toEqual([avcHeader(900, 2)]);
  });

  it('stand where their newest came, so that one for several tracks is overruled by a later one for one of them', () => {
    const store = new ConfigStore();
    for (const frame of [trackHeader(1, 0, 1), trackHeader(2), trackHeader(1, 0, 2)]) store.remember(frame);
    expect(store.list().map((frame) => frame.track)).toEqual([2, 1]);
  });

  it('do not change a list that was handed out', () => {
    const store = new ConfigStore();
    store.remember(avcHeader(0, 1));
    const before = store.list();
    store.remember(avcHeader(0, 2));
    expect(before).toEqual([avcHeader(0, 1)]);
  });

  it('are stamped once for all who start at the same time', () => {
    const store = new ConfigStore();
    store.remember(avcHeader(0));
    expect(store.listAt(70)[0]!.timestamp).toBe(70);
    expect(store.listAt(70)).toBe(store.listAt(70));
    expect(store.listAt(71)[0]!.timestamp).toBe(71);
    store.remember(aacHeader(0));
    expect(store.listAt(71)).toHaveLength(2);
  });

  it('can be forgotten, one or all', () => {
    const store = new ConfigStore();
    store.remember(avcHeader());
    store.remember(metadata());
    store.forget('data:onMetaData');
    store.forget('data:unheard-of');
    expect(store.list()).toEqual([avcHeader()]);
    store.clear();
    expect(store.list()).toEqual([]);
  });

  it('are 64 at most: the oldest goes when one more comes', () => {
    const store = new ConfigStore();
    for (let track = 0; track < MAX_CONFIGS; track++) store.remember(trackHeader(track));
    expect(store.list()).toHaveLength(MAX_CONFIGS);
    store.remember(trackHeader(MAX_CONFIGS));
    expect(store.list()).toHaveLength(MAX_CONFIGS);
    expect(store.list()[0]!.track).toBe(1);
  });

  it('are remembered up to their size limit, and only passed on at one byte more', () => {
    const store = new ConfigStore();
    expect(store.remember(header(MAX_CONFIG_BYTES + 1))).toBe(true);
    expect(store.list()).toHaveLength(0);
    expect(store.remember(header(MAX_CONFIG_BYTES))).toBe(true);
    expect(store.list()).toHaveLength(1);
  });
});
