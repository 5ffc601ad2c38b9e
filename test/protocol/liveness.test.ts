import { describe, expect, it } from 'vitest';
import { Liveness } from '../../src/protocol/liveness.ts';

const make = () => new Liveness({ pingAfterMs: 30, idleTimeoutMs: 90 }, 1000);

describe('liveness', () => {
  it('asks after each span of silence, and gives up at the end', () => {
    const liveness = make();
    expect(liveness.deadline()).toBe(1030);
    expect(liveness.tick(1029)).toBe(false);
    expect(liveness.tick(1030)).toBe(true);
    expect(liveness.tick(1031)).toBe(false);
    expect(liveness.tick(1060)).toBe(true);
    expect(liveness.deadline()).toBe(1090);
    expect(() => liveness.tick(1090)).toThrow(expect.objectContaining({ code: 'IDLE_TIMEOUT' }));
  });

  it('takes any byte for an answer', () => {
    const liveness = make();
    liveness.tick(1030);
    liveness.heard(1050);
    expect(liveness.deadline()).toBe(1080);
    expect(liveness.tick(1079)).toBe(false);
    expect(liveness.tick(1080)).toBe(true);
    expect(liveness.tick(1139)).toBe(true);
    expect(() => liveness.tick(1140)).toThrow();
  });

  it('takes drained media for a sign of life, and asks all the same', () => {
    const liveness = make();
    liveness.drained(1080);
    expect(liveness.tick(1080)).toBe(true);
    expect(liveness.tick(1169)).toBe(true);
    expect(() => liveness.tick(1170)).toThrow();
  });

  it('takes drained media for nothing once the peer has answered a ping', () => {
    const liveness = make();
    liveness.answers();
    liveness.heard(1040);
    liveness.drained(1080);
    expect(liveness.tick(1129)).toBe(true);
    expect(() => liveness.tick(1130)).toThrow(expect.objectContaining({ code: 'IDLE_TIMEOUT' }));
  });
});
