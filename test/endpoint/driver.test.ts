import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Driver, type DrivenSession } from '../../src/endpoint/driver.ts';
import { ProtocolError } from '../../src/errors.ts';

/** A session that notes what it is given and says what it is told to. */
class ScriptedSession implements DrivenSession<string> {
  readonly received: string[] = [];
  readonly output: Buffer[] = [];
  wakeAt: number | undefined;
  wantsClose = false;
  ticks = 0;
  ended = 0;
  failNext: Error | undefined;
  /** Milliseconds that taking bytes costs. */
  cost = 0;

  receive(bytes: Buffer): string[] {
    if (this.cost > 0) vi.advanceTimersByTime(this.cost);
    if (this.failNext) throw this.failNext;
    this.received.push(bytes.toString());
    return bytes.toString().split('');
  }
  takeOutput(): Buffer[] {
    return this.output.splice(0);
  }
  deadline(): number | undefined {
    return this.wakeAt;
  }
  tick(): string[] {
    this.ticks += 1;
    this.wakeAt = undefined;
    return ['tick'];
  }
  drained(): void {}
  end(): void {
    this.ended += 1;
  }
}

/** A Duplex whose writes can be held back. */
class HeldLink extends Duplex {
  readonly written: string[] = [];
  hold = false;
  #release: (() => void) | undefined;

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.toString());
    if (this.hold) this.#release = done;
    else done();
  }
  release(): void {
    this.hold = false;
    const done = this.#release;
    this.#release = undefined;
    done?.();
  }
}

const OPTIONS = { drainTimeoutMs: 30_000, lingerMs: 2_000 };

function drive() {
  const session = new ScriptedSession();
  const link = new HeldLink({ writableHighWaterMark: 16 });
  const events: string[] = [];
  const closed: (Error | undefined)[] = [];
  let drained = 0;
  const callbacks = {
    event: (event: string) => void events.push(event),
    drained: () => void (drained += 1),
    closed: (fault: Error | undefined) => void closed.push(fault),
  };
  const driver = new Driver(link, session, callbacks, OPTIONS);
  return { session, link, events, closed, driver, drainedTimes: () => drained };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Driver', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => vi.useRealTimers());

  it('hands received bytes to the session and its events to the owner, in order', async () => {
    const { link, session, events } = drive();
    link.push('ab');
    link.push('c');
    await turn();
    expect(session.received.join('')).toBe('abc');
    expect(events).toEqual(['a', 'b', 'c']);
  });

  it('writes what the session has to say after every receive', async () => {
    const { link, session } = drive();
    session.output.push(Buffer.from('one'), Buffer.from('two'));
    link.push('x');
    await turn();
    expect(link.written).toEqual(['one', 'two']);
  });

  it('leaves output in the session while the stream is blocked, and writes it when it drains', async () => {
    const { link, session, driver, drainedTimes } = drive();
    link.hold = true;
    session.output.push(Buffer.alloc(32, 'a'));
    driver.flush();
    expect(driver.blocked).toBe(true);
    session.output.push(Buffer.from('later'));
    driver.flush();
    expect(link.written).toHaveLength(1);
    link.release();
    await turn();
    expect(link.written.at(-1)).toBe('later');
    expect(driver.blocked).toBe(false);
    expect(drainedTimes()).toBe(1);
  });

  it('wakes the session at its deadline, once', async () => {
    const { link, session, events } = drive();
    session.wakeAt = performance.now() + 500;
    link.push('x');
    await turn();
    vi.advanceTimersByTime(499);
    expect(session.ticks).toBe(0);
    vi.advanceTimersByTime(2);
    expect(session.ticks).toBe(1);
    expect(events).toEqual(['x', 'tick']);
    vi.advanceTimersByTime(60_000);
    expect(session.ticks).toBe(1);
  });

  it('destroys the stream with the session’s fault', async () => {
    const { link, session, closed } = drive();
    session.failNext = new ProtocolError('BAD', 'nonsense');
    link.push('x');
    await once(link, 'close').catch(() => undefined);
    await turn();
    expect(closed).toEqual([session.failNext]);
    expect(session.ended).toBe(1);
  });

  it('cuts off a reader that takes nothing for drainTimeoutMs', async () => {
    const { link, session, driver, closed } = drive();
    driver.mustDrain = true;
    link.hold = true;
    session.output.push(Buffer.alloc(32));
    driver.flush();
    vi.advanceTimersByTime(OPTIONS.drainTimeoutMs - 1);
    expect(link.destroyed).toBe(false);
    vi.advanceTimersByTime(2);
    await turn();
    expect(closed[0]).toMatchObject({ code: 'PEER_STALLED' });
  });

  it('never cuts off one that need not drain, as a librtmp publisher does not', () => {
    const { link, session, driver } = drive();
    link.hold = true;
    session.output.push(Buffer.alloc(32));
    driver.flush();
    vi.advanceTimersByTime(3_600_000);
    expect(link.destroyed).toBe(false);
  });

  it('ends after the last output has gone, and waits for the peer no longer than lingerMs', async () => {
    const { link, session, driver, closed } = drive();
    session.output.push(Buffer.from('bye'));
    driver.end();
    await turn();
    expect(link.written).toEqual(['bye']);
    expect(link.writableFinished).toBe(true);
    vi.advanceTimersByTime(OPTIONS.lingerMs - 1);
    expect(link.destroyed).toBe(false);
    vi.advanceTimersByTime(2);
    await turn();
    expect(closed).toEqual([undefined]);
  });

  it('ends when the session wants to close, after its output', async () => {
    const { link, session } = drive();
    session.output.push(Buffer.from('refused'));
    session.wantsClose = true;
    link.push('x');
    await turn();
    expect(link.written).toEqual(['refused']);
    expect(link.writableEnded).toBe(true);
  });

  it('ends its own half when the peer ends theirs', async () => {
    const { link } = drive();
    link.push(null);
    await once(link, 'finish');
    expect(link.writableEnded).toBe(true);
  });

  it('lets a peer whose bytes cost much wait as long as they took, and no other', async () => {
    const { link, session } = drive();
    session.cost = 4;
    link.push('a');
    await turn();
    expect(link.isPaused()).toBe(false);
    session.cost = 5;
    link.push('b');
    link.push('c');
    await turn();
    expect(session.received.join('')).toBe('ab');
    session.cost = 0;
    vi.advanceTimersByTime(4);
    expect(link.isPaused()).toBe(true);
    vi.advanceTimersByTime(2);
    await turn();
    expect(session.received.join('')).toBe('abc');
  });

  it('reads nothing while its owner has no room, whatever rests of its own begin or end meanwhile', async () => {
    const { link, session, driver } = drive();
    session.cost = 40;
    link.push('a');
    await turn();
    driver.pause();
    link.push('b');
    vi.advanceTimersByTime(41);
    await turn();
    expect(session.received.join('')).toBe('a');
    driver.resume();
    await turn();
    expect(session.received.join('')).toBe('ab');
    driver.pause();
    link.push('c');
    driver.resume();
    await turn();
    expect(session.received.join('')).toBe('ab');
    vi.advanceTimersByTime(41);
    await turn();
    expect(session.received.join('')).toBe('abc');
  });

  it('hears no silence while it does not read', () => {
    const { session, driver } = drive();
    session.wakeAt = performance.now() + 500;
    driver.nudge();
    driver.pause();
    vi.advanceTimersByTime(60_000);
    expect(session.ticks).toBe(0);
    driver.resume();
    vi.advanceTimersByTime(1);
    expect(session.ticks).toBe(1);
  });

  it('reads on to the end once it ends itself', async () => {
    const { link, driver, closed } = drive();
    driver.pause();
    driver.end();
    link.push('unwanted');
    link.push(null);
    await once(link, 'close');
    expect(closed).toEqual([undefined]);
  });

  it('delivers no event after its owner destroyed it, not even one of the same bytes', async () => {
    const session = new ScriptedSession();
    const link = new HeldLink();
    const events: string[] = [];
    const closed = vi.fn<(fault: Error | undefined) => void>();
    const driver = new Driver<string>(link, session, {
      event: (event) => {
        events.push(event);
        driver.end();
      },
      drained: () => undefined,
      closed,
    });
    link.push('abc');
    driver.destroy();
    await turn();
    expect(events).toEqual(['a']);
    expect(closed.mock.calls).toEqual([[undefined]]);
  });
});
