import { describe, expect, it } from 'vitest';
import {
  ACK_PATIENCE_MS,
  ACK_PAUSE_MS,
  DEFAULT_ACK_BYTES,
  MAX_WINDOW_BYTES,
  MIN_WINDOW_BYTES,
  ReceiveWindow,
} from '../../src/protocol/receive-window.ts';

/** As a driver would: wakes the window when it wants that. */
function pause(window: ReceiveWindow, from: number): void {
  for (let at = window.deadline(); at <= from + 2 * ACK_PAUSE_MS; at = window.deadline()) window.tick(at);
}

/** Bytes after which the window wants an acknowledgement, in a stream that makes a pause after each few bytes. */
function threshold(window: ReceiveWindow): number {
  window.take();
  for (let bytes = 0; ; bytes += 4) {
    pause(window, bytes);
    if (window.due) return bytes;
    window.add(4, bytes);
  }
}

/** Bytes, and the time it takes, until a stream without a pause is acknowledged. */
function unbroken(window: ReceiveWindow): { bytes: number; ms: number } {
  for (let ms = 0; ; ms += ACK_PAUSE_MS - 1) {
    window.tick(ms);
    window.add(1000, ms);
    if (window.due) return { bytes: window.take(), ms };
  }
}

describe('the window of received bytes', () => {
  it('is acknowledged every 1.25 MB when nothing was announced', () => {
    expect(threshold(new ReceiveWindow())).toBe(DEFAULT_ACK_BYTES);
  });

  it.each([
    [1_000_000, 500_000],
    [MIN_WINDOW_BYTES, MIN_WINDOW_BYTES / 2],
    [MIN_WINDOW_BYTES - 1, MIN_WINDOW_BYTES / 2],
    [1, MIN_WINDOW_BYTES / 2],
    [0, MIN_WINDOW_BYTES / 2],
    [MAX_WINDOW_BYTES, MAX_WINDOW_BYTES / 2],
    [MAX_WINDOW_BYTES + 1, MAX_WINDOW_BYTES / 2],
    [2 ** 31, MAX_WINDOW_BYTES / 2],
  ])('announced as %i is acknowledged every %i bytes', (size, every) => {
    const window = new ReceiveWindow();
    window.announced(size);
    expect(threshold(window)).toBe(every);
  });

  it('says the total, which passes 4 GiB by wrapping', () => {
    const window = new ReceiveWindow(2 ** 32 - 1000);
    window.add(999, 0);
    expect(window.take()).toBe(2 ** 32 - 1);
    window.add(1, 0);
    expect(window.take()).toBe(0);
    window.add(2_000_000, 0);
    pause(window, 0);
    expect(window.due).toBe(true);
    expect(window.take()).toBe(2_000_000);
    expect(window.due).toBe(false);
  });

  it('goes on being acknowledged regularly past 4 GiB, many times over', () => {
    const window = new ReceiveWindow();
    let total = 0;
    let last = 0;
    while (total < 3 * 2 ** 32) {
      window.add(1_000_000, 0);
      pause(window, 0);
      total += 1_000_000;
      if (!window.due) continue;
      expect(window.take()).toBe(total % 2 ** 32);
      expect(total - last).toBeLessThanOrEqual(DEFAULT_ACK_BYTES + 1_000_000);
      last = total;
    }
  });

  it('waits for a pause: what reaches a peer that has sent everything and gone makes its system drop what is on the way', () => {
    const window = new ReceiveWindow();
    window.add(DEFAULT_ACK_BYTES, 100);
    expect(window.due).toBe(false);
    window.add(1, 105);
    expect(window.deadline()).toBe(105 + ACK_PAUSE_MS);
    window.tick(104 + ACK_PAUSE_MS);
    pause(window, 105);
    expect(window.due).toBe(true);
    expect(window.deadline()).toBe(Infinity);
  });

  it('takes one look past its time for no pause: bytes may be waiting that we had no time to read', () => {
    const window = new ReceiveWindow();
    window.add(DEFAULT_ACK_BYTES, 0);
    window.tick(500);
    expect(window.due).toBe(false);
    window.add(1, 500);
    window.tick(510);
    expect(window.due).toBe(false);
    window.tick(510 + ACK_PAUSE_MS);
    expect(window.due).toBe(true);
  });

  it('is acknowledged without a pause before an announced window is used up', () => {
    const window = new ReceiveWindow();
    window.announced(1_000_000);
    expect(unbroken(window).bytes).toBe(750_000);
  });

  it('is acknowledged without a pause and without an announcement in the end', () => {
    const owedAt = (DEFAULT_ACK_BYTES / 1000 - 1) * (ACK_PAUSE_MS - 1);
    expect(unbroken(new ReceiveWindow()).ms).toBe(owedAt + ACK_PATIENCE_MS);
  });
});
