import { describe, expect, it } from 'vitest';
import { ChannelClock } from '../../src/hub/clock.ts';
import { audio, avcHeader, cuePoint, inter, key } from '../support/frames.ts';

describe('the clock of a channel', () => {
  it('leaves the first publisher’s frames untouched, the very objects', () => {
    const clock = new ChannelClock();
    clock.restart();
    for (const frame of [avcHeader(0), key(1_000_000), audio(999_990), inter(5), cuePoint(9)]) {
      expect(clock.place(frame, 77)).toBe(frame);
    }
  });

  it('goes on by the time that passed when a publisher returns, and keeps sound and picture apart as they were', () => {
    const clock = new ChannelClock();
    clock.place(key(4000), 10_000);
    clock.place(audio(4010), 10_020);
    clock.restart();
    expect(clock.place(key(0), 13_020).timestamp).toBe(7010);
    expect(clock.place(audio(23), 13_021).timestamp).toBe(7033);
    expect(clock.place(audio(0xffff_fff0), 13_021).timestamp).toBe(6994);
    expect(clock.place(inter(40), 13_060).timestamp).toBe(7050);
  });

  it('goes on from the later of sound and picture', () => {
    const clock = new ChannelClock();
    clock.place(audio(500), 0);
    clock.place(key(460), 0);
    clock.restart();
    expect(clock.place(key(0), 100).timestamp).toBe(600);
  });

  it('does not go on from a publisher before the last, even if the last set its clock back', () => {
    const clock = new ChannelClock();
    clock.place(audio(50_000), 0);
    clock.restart();
    clock.place(key(40_000), 10);
    clock.place(key(20_000), 20);
    clock.restart();
    expect(clock.place(key(0), 30).timestamp).toBe(30_020);
  });

  it('wraps with the 32 bits of RTMP time', () => {
    const clock = new ChannelClock();
    clock.place(key(0xffff_ff00), 0);
    clock.place(audio(0xffff_fff0), 0);
    clock.restart();
    expect(clock.place(key(0), 32).timestamp).toBe(16);
    clock.restart();
    expect(clock.place(key(0xffff_ffff), 132).timestamp).toBe(116);
    expect(clock.place(key(1), 134).timestamp).toBe(118);
  });

  it('goes on at least one millisecond, and whole ones', () => {
    const clock = new ChannelClock();
    clock.place(key(100), 50.9);
    clock.restart();
    expect(clock.place(key(0), 50.95).timestamp).toBe(101);
    clock.restart();
    expect(clock.place(key(0), 53.99).timestamp).toBe(104);
  });

  it('puts data before the first picture into the present, and leaves headers to whoever sends them', () => {
    const clock = new ChannelClock();
    clock.place(key(1000), 0);
    clock.restart();
    const header = avcHeader(3);
    expect(clock.place(header, 500)).toBe(header);
    expect(clock.place(cuePoint(3), 500).timestamp).toBe(1500);
    expect(clock.place(key(8), 600).timestamp).toBe(1600);
    expect(clock.place(avcHeader(9, 1), 700).timestamp).toBe(1601);
    expect(clock.place(cuePoint(10), 700).timestamp).toBe(1602);
  });

  it('has nothing to go on from when the first publisher sent no media', () => {
    const clock = new ChannelClock();
    clock.place(cuePoint(77), 0);
    clock.restart();
    expect(clock.place(key(5), 99).timestamp).toBe(5);
  });
});
