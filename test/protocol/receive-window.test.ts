import { describe, expect, it } from 'vitest';
import {
  DEFAULT_ACK_BYTES,
  MAX_WINDOW_BYTES,
  MIN_WINDOW_BYTES,
  ReceiveWindow,
} from '../../src/protocol/receive-window.ts';

/** Bytes after which the window wants an acknowledgement. */
function threshold(window: ReceiveWindow): number {
  window.take();
  for (let bytes = 0; ; bytes += 4) {
    if (window.due) return bytes;
    window.add(4);
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
    window.add(999);
    expect(window.take()).toBe(2 ** 32 - 1);
    window.add(1);
    expect(window.take()).toBe(0);
    window.add(2_000_000);
    expect(window.due).toBe(true);
    expect(window.take()).toBe(2_000_000);
    expect(window.due).toBe(false);
  });

  it('goes on being acknowledged regularly past 4 GiB, many times over', () => {
    const window = new ReceiveWindow();
    let total = 0;
    let last = 0;
    while (total < 3 * 2 ** 32) {
      window.add(1_000_000);
      total += 1_000_000;
      if (!window.due) continue;
      expect(window.take()).toBe(total % 2 ** 32);
      expect(total - last).toBeLessThanOrEqual(DEFAULT_ACK_BYTES + 1_000_000);
      last = total;
    }
  });
});
