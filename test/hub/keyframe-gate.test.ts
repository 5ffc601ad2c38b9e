import { describe, expect, it } from 'vitest';
import { AUDIO_ONLY_AFTER, KeyframeGate, VideoSense } from '../../src/hub/keyframe-gate.ts';
import type { Frame } from '../../src/media/index.ts';
import {
  aacHeader,
  audio,
  avcHeader,
  cuePoint,
  inter,
  key,
  metadata,
  tracksVideo,
  trackHeader,
  trackVideo,
} from '../support/frames.ts';

function gate(state: 'open' | 'closed' = 'closed'): {
  offer: (frame: Frame) => boolean;
  close: () => void;
  sense: VideoSense;
} {
  const sense = new VideoSense();
  const made = new KeyframeGate(sense, state);
  return { sense, close: () => made.close(), offer: (frame) => (sense.note(frame), made.admits(frame)) };
}

describe('a keyframe gate', () => {
  it('lets everything pass while it is open', () => {
    const { offer } = gate('open');
    expect([inter(0), audio(0), trackVideo('inter', 3, 0)].map(offer)).toEqual([true, true, true]);
  });

  it('holds pictures and sound back until the keyframe, but neither configurations nor data', () => {
    const { offer } = gate();
    const frames = [metadata(), avcHeader(), aacHeader(), inter(0), audio(0), cuePoint(0), key(1), inter(2), audio(2)];
    expect(frames.map(offer)).toEqual([true, true, true, false, false, true, true, true, true]);
  });

  it('lets the sound pass that a publisher sends before its first picture', () => {
    const { offer } = gate();
    const frames = [avcHeader(), aacHeader(), audio(0), key(20), audio(23)];
    expect(frames.map(offer)).toEqual([true, true, true, true, true]);
  });

  it('lets sound pass at once when there is no video', () => {
    const { offer } = gate();
    expect([aacHeader(), audio(0), audio(1)].map(offer)).toEqual([true, true, true]);
  });

  it('waits for each track on its own, and with the sound for the default one', () => {
    const { offer } = gate();
    const frames = [
      avcHeader(),
      trackVideo('key', 1, 0),
      audio(0),
      trackVideo('inter', 1, 1),
      inter(1),
      key(2),
      audio(2),
    ];
    expect(frames.map(offer)).toEqual([true, true, false, true, false, true, true]);
    expect(offer(trackVideo('inter', 2, 3))).toBe(false);
    expect(offer(trackVideo('key', 2, 4))).toBe(true);
    expect(offer(trackVideo('inter', 2, 5))).toBe(true);
  });

  it('lets a message with several tracks pass only when all of them may', () => {
    const { offer } = gate();
    offer(trackHeader(1));
    expect([key(0), tracksVideo('inter', [0, 1], 1)].map(offer)).toEqual([true, false]);
    expect(
      [tracksVideo('key', [0, 1], 2), tracksVideo('inter', [0, 1], 3), trackVideo('inter', 1, 4)].map(offer),
    ).toEqual([true, true, true]);
  });

  it('lets any track lead a stream that has no default one', () => {
    const { offer } = gate();
    const frames = [trackHeader(4), trackVideo('inter', 4, 0), audio(0), trackVideo('key', 4, 1), audio(1)];
    expect(frames.map(offer)).toEqual([true, false, false, true, true]);
  });

  it('closes again, for all tracks and for sound', () => {
    const { offer, close } = gate('open');
    [avcHeader(), key(0), trackVideo('key', 1, 0)].forEach(offer);
    close();
    expect([inter(1), trackVideo('inter', 1, 1), audio(1)].map(offer)).toEqual([false, false, false]);
  });

  it('takes a stream for audio only after 115 audio frames in a row, not after 114', () => {
    const { offer } = gate();
    [avcHeader(), inter(0)].forEach(offer);
    for (let i = 1; i < AUDIO_ONLY_AFTER; i++) expect(offer(audio(i))).toBe(false);
    expect(offer(audio(AUDIO_ONLY_AFTER))).toBe(true);
    expect(offer(inter(200))).toBe(false);
    expect(offer(audio(201))).toBe(true);
  });

  it('begins to count again with every picture', () => {
    const { offer } = gate();
    [avcHeader(), inter(0)].forEach(offer);
    for (let i = 0; i < 3 * AUDIO_ONLY_AFTER; i++) {
      expect(offer(audio(i))).toBe(false);
      if (i % 100 === 99) offer(inter(i));
    }
  });

  it('knows nothing any more after a reset', () => {
    const { offer, sense } = gate();
    offer(avcHeader());
    expect([sense.expectsVideo, sense.hasMedia]).toEqual([true, true]);
    sense.reset();
    expect([sense.expectsVideo, sense.hasMedia]).toEqual([false, false]);
    expect(sense.isStart(trackVideo('key', 2, 0))).toBe(true);
  });
});
