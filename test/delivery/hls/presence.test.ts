import { describe, expect, it } from 'vitest';
import { GONE_MS, Presence } from '../../../src/delivery/hls/presence.ts';

describe('the presence of tracks', () => {
  it('ends for one of several pictures when the others go on without it', () => {
    const presence = new Presence();
    presence.saw('v0', 0);
    presence.saw('v1', 0);
    presence.saw('v0', GONE_MS);
    expect(presence.isGone('v1')).toBe(false);
    presence.saw('v0', GONE_MS + 1);
    expect([presence.isGone('v1'), presence.isGone('v0')]).toEqual([true, false]);
    presence.saw('v1', GONE_MS + 2);
    expect(presence.isGone('v1')).toBe(false);
  });

  it('does not end for the only picture of a publisher: the camera may be on again', () => {
    const presence = new Presence();
    presence.saw('v0', 0);
    presence.saw('a0', 1e9);
    expect(presence.isGone('v0')).toBe(false);
  });

  it('ends when the publisher says so', () => {
    const presence = new Presence();
    presence.saw('v0', 0);
    presence.ended('v0');
    presence.saw('a0', GONE_MS + 1);
    expect(presence.isGone('v0')).toBe(true);
  });

  it('ends when the next publisher does not have it, and not before that is sure', () => {
    const presence = new Presence();
    presence.saw('v0', 0);
    presence.saw('a0', 0);
    presence.startAnew(500);
    presence.saw('a0', 500 + GONE_MS);
    expect(presence.isGone('v0')).toBe(false);
    presence.saw('a0', 501 + GONE_MS);
    expect([presence.isGone('v0'), presence.isGone('a0')]).toEqual([true, false]);
  });

  it('ends for what was described and never came', () => {
    const presence = new Presence();
    presence.opened('v1', 0);
    presence.saw('v0', GONE_MS);
    expect(presence.isGone('v1')).toBe(false);
    presence.saw('v0', GONE_MS + 1);
    expect(presence.isGone('v1')).toBe(true);
    presence.forget('v1');
    expect(presence.isGone('v1')).toBe(false);
  });
});
