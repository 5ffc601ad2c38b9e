import { describe, expect, test } from 'vitest';
import { Uplink, holdTime, intervalByte } from '../../../src/transport/rtmpt/polling.ts';

describe('the interval byte', () => {
  test("climbs Red5's ladder after ten empty answers when nothing is held", () => {
    const ladder = Array.from({ length: 20 }, (_, empties) => intervalByte(0, empties));
    expect(ladder.slice(0, 11)).toEqual(Array.from({ length: 11 }, () => 1));
    expect(ladder.slice(11)).toEqual([3, 5, 9, 17, 33, 33, 33, 33, 33]);
  });

  test('is always 1 when idles are held', () => {
    expect(intervalByte(500, 1000)).toBe(1);
  });
});

describe('how long a request may wait', () => {
  const times = { holdMs: 500, handshakeHoldMs: 2000, publisherHoldMs: 10 };
  const idle = { kind: 'idle', greeting: false, publishing: false, afterSend: false } as const;
  const send = { ...idle, kind: 'send' } as const;

  test.each([
    ['an idle as long as configured', idle, 500],
    ['an idle of a publisher hardly at all', { ...idle, publishing: true }, 10],
    ['an idle of a publisher right behind a send not at all', { ...idle, publishing: true, afterSend: true }, 0],
    ['an idle of a player behind an acknowledgement as any other', { ...idle, afterSend: true }, 500],
    ['a send not at all', send, 0],
    ['the send that completes C0C1 for the handshake', { ...send, greeting: true }, 2000],
  ])('%s', (_, asking, expected) => {
    expect(holdTime(asking, times)).toBe(expected);
  });

  test('without holding, a publisher is not held either', () => {
    expect(holdTime({ ...idle, publishing: true }, { ...times, holdMs: 0 })).toBe(0);
  });
});

describe('telling publishers from players', () => {
  test('audio of 64 kbit/s is publishing, and for no more than a second after its end', () => {
    const uplink = new Uplink();
    let now = 0;
    for (; now < 1000; now += 23) uplink.note(184, now);
    expect(uplink.isBusy(now)).toBe(true);
    expect(uplink.isBusy(now + 1000)).toBe(false);
  });

  test('acknowledgements, pongs and a few commands are not', () => {
    const uplink = new Uplink();
    for (let now = 0; now < 10_000; now += 200) {
      uplink.note(100, now);
      expect(uplink.isBusy(now)).toBe(false);
    }
  });
});
