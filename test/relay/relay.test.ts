import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RejectedError, TransportError } from '../../src/errors.ts';
import type { Attempt, Traffic } from '../../src/relay/attempt.ts';
import { BACK_OFF_DEFAULTS } from '../../src/relay/back-off.ts';
import { newGatewayId, Relay } from '../../src/relay/relay.ts';
import { recordingLog } from '../support/recording-log.ts';

/** Lives and fails when told to. */
class FakeAttempt implements Attempt {
  shown = 'rtmp://far/app/key';
  choices = 1;
  dropped = 0;
  stopped = 0;
  readonly checks: number[] = [];
  #fail: (fault: unknown) => void = () => {};
  #live: () => void = () => {};

  get traffic(): Traffic {
    const queued = { frames: 0, bytes: 0, ms: 0 };
    return { bytes: 7, unacknowledged: undefined, frames: 3, dropped: this.dropped, queued, leftOut: [] };
  }

  hide(text: string): string {
    return text.replaceAll('secret', '***');
  }

  once(signal: AbortSignal, live: () => void): Promise<never> {
    this.#live = live;
    return new Promise((_, reject) => {
      this.#fail = reject;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }

  check(now: number): void {
    this.checks.push(now);
  }

  async stop(): Promise<void> {
    this.stopped++;
  }

  async live(): Promise<void> {
    this.#live();
    await settled();
  }

  async fail(fault: unknown = new TransportError('CONNECT_FAILED', 'nobody is there')): Promise<void> {
    this.#fail(fault);
    await settled();
  }
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

function setUp() {
  const { log, lines } = recordingLog();
  const attempt = new FakeAttempt();
  const relay = new Relay(attempt, BACK_OFF_DEFAULTS, { log, now: () => Date.now() });
  const words = () => lines.map(({ level, message }) => `${level} ${message}`);
  return { attempt, relay, lines, words };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a relay', () => {
  it('tries, waits, tries again, and says when it works', async () => {
    const { attempt, relay, words } = setUp();
    relay.start();
    await settled();
    expect(relay.status()).toMatchObject({ state: 'connecting', attempts: 1, lastError: undefined });
    await attempt.fail();
    expect(relay.status()).toMatchObject({
      state: 'waiting',
      retryInMs: 1000,
      lastError: { kind: 'network', code: 'CONNECT_FAILED', message: 'nobody is there' },
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(relay.status()).toMatchObject({ state: 'waiting', retryInMs: 1 });
    await vi.advanceTimersByTimeAsync(1);
    await attempt.live();
    await vi.advanceTimersByTimeAsync(500);
    expect(relay.status()).toMatchObject({ state: 'live', attempts: 2, liveMs: 500, retryInMs: undefined });
    expect(relay.status().lastError).toMatchObject({ agoMs: 1500 });
    expect(words()).toEqual([
      'warn relay failed: nobody is there; trying again in 1.0 s',
      'info relaying, at the 2nd attempt',
    ]);
    relay.destroy();
  });

  it('is loud at first, and not about the same trouble again; a refusal it tells each time', async () => {
    const { attempt, relay, words } = setUp();
    relay.start();
    await settled();
    for (const ms of [1000, 2000, 4000]) {
      await attempt.fail();
      await vi.advanceTimersByTimeAsync(ms);
    }
    await attempt.fail(new RejectedError('STREAM_TAKEN', 'with a secret'));
    await vi.advanceTimersByTimeAsync(10_000);
    await attempt.fail(new RejectedError('STREAM_TAKEN', 'with a secret'));
    expect(words().map((line) => line.split(';')[0])).toEqual([
      'warn relay failed: nobody is there',
      'warn relay failed: nobody is there',
      'debug relay failed: nobody is there',
      'warn relay refused: with a ***',
      'warn relay refused: with a ***',
    ]);
    relay.destroy();
  });

  it('asks all servers of a round without a pause', async () => {
    const { attempt, relay, words } = setUp();
    attempt.choices = 2;
    relay.start();
    await settled();
    await attempt.fail();
    expect(relay.status()).toMatchObject({ state: 'connecting', attempts: 2 });
    await attempt.fail();
    expect(relay.status()).toMatchObject({ state: 'waiting' });
    expect(words()[0]).toBe('info relay failed: nobody is there');
    relay.destroy();
  });

  it('looks at its connection once a second, and tells of drops now and then', async () => {
    const { attempt, relay, lines } = setUp();
    relay.start();
    await settled();
    await attempt.live();
    attempt.dropped = 5;
    await vi.advanceTimersByTimeAsync(1000);
    attempt.dropped = 9;
    await vi.advanceTimersByTimeAsync(9000);
    expect(attempt.checks).toHaveLength(10);
    const drops = () => lines.filter(({ message }) => message.includes('too slow')).map(({ fields }) => fields);
    expect(drops()).toMatchObject([{ frames: 5 }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(drops()).toMatchObject([{ frames: 5 }, { frames: 4 }]);
    relay.destroy();
  });

  it('waits for what is before it, and ends for good', async () => {
    const { attempt, relay, words } = setUp();
    let over = (): void => {};
    relay.start(new Promise<void>((resolve) => (over = resolve)));
    await settled();
    expect(relay.status().attempts).toBe(0);
    over();
    await settled();
    await attempt.fail();
    await vi.advanceTimersByTimeAsync(1000);
    expect(relay.status()).toMatchObject({ state: 'connecting', attempts: 2 });
    await relay.stop();
    expect([attempt.stopped, relay.status().state, words().at(-1)]).toEqual([1, 'ended', 'info relaying ended']);
    await relay.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([attempt.stopped, relay.status().attempts]).toEqual([1, 2]);
  });

  it('lets go of its connection even if its polite end fails', async () => {
    const { attempt, relay } = setUp();
    relay.start();
    await settled();
    attempt.stop = () => Promise.reject(new TypeError('x is not a function'));
    await expect(relay.stop()).rejects.toThrow('x is not');
    expect(relay.status().state).toBe('ended');
    relay.destroy();
    await settled();
  });

  it('is let go after a time, unless it is kept', async () => {
    const { relay } = setUp();
    const gone = vi.fn();
    relay.release(1000, gone);
    await vi.advanceTimersByTimeAsync(999);
    relay.keep();
    await vi.advanceTimersByTimeAsync(1000);
    expect(gone).not.toHaveBeenCalled();
    relay.release(1000, gone);
    await vi.advanceTimersByTimeAsync(1000);
    expect(gone).toHaveBeenCalledTimes(1);
    relay.destroy();
    relay.release(1, gone);
    await vi.advanceTimersByTimeAsync(10);
    expect(gone).toHaveBeenCalledTimes(1);
  });

  it('takes what is no error of ours for a bug, and goes on', async () => {
    const { attempt, relay, words } = setUp();
    relay.start();
    await settled();
    await attempt.fail(new TypeError('x is not a function'));
    expect(words()[0]).toBe('error a relay failed by a bug here');
    expect(relay.status().state).toBe('waiting');
    relay.destroy();
  });
});

it('gateways have names that nobody else has', () => {
  expect(new Set(Array.from({ length: 100 }, newGatewayId)).size).toBe(100);
});
