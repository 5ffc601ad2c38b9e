import { describe, expect, it } from 'vitest';
import { NO_LOG } from '../../src/log.ts';
import { Departures } from '../../src/relay/departures.ts';
import type { Relay } from '../../src/relay/relay.ts';

interface Leaving {
  readonly relay: Relay;
  readonly calls: string[];
  gone(): void;
  fail(): void;
}

/** A relay that takes its time to stop. */
function leaving(): Leaving {
  let gone = (): void => undefined;
  let fail = (): void => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    gone = resolve;
    fail = () => reject(new Error('broken'));
  });
  const calls: string[] = [];
  const stop = (): Promise<void> => (calls.push('stop'), promise);
  const relay = { stop, destroy: () => calls.push('destroy') } as unknown as Relay;
  return { relay, calls, gone: () => gone(), fail: () => fail() };
}

describe('departures', () => {
  it('last from when a relay is told to stop until it has', async () => {
    const departures = new Departures(NO_LOG);
    const one = leaving();
    const gone = departures.begin(one.relay, 'there');
    expect(one.calls).toEqual(['stop']);
    expect(departures.count).toBe(1);
    expect(departures.from('there')).toBe(gone);
    expect(departures.from('elsewhere')).toBeUndefined();
    one.gone();
    await gone;
    expect(departures.count).toBe(0);
    expect(departures.from('there')).toBeUndefined();
  });

  it('from one place are followed by who comes next: the last one counts', async () => {
    const departures = new Departures(NO_LOG);
    const [first, second] = [leaving(), leaving()];
    const firstGone = departures.begin(first.relay, 'there');
    const secondGone = departures.begin(second.relay, 'there');
    first.gone();
    await firstGone;
    expect(departures.from('there')).toBe(secondGone);
    second.gone();
    await secondGone;
    expect(departures.from('there')).toBeUndefined();
  });

  it('that fail are over, and said', async () => {
    const said: unknown[] = [];
    const departures = new Departures({ ...NO_LOG, error: (...words: unknown[]) => void said.push(words) });
    const one = leaving();
    const gone = departures.begin(one.relay, 'there');
    one.fail();
    await gone;
    expect(departures.count).toBe(0);
    expect(said).toEqual([[expect.objectContaining({ err: new Error('broken') }), expect.any(String)]]);
  });

  it('are over together, or cut short together', async () => {
    const departures = new Departures(NO_LOG);
    const all = [leaving(), leaving()];
    for (const [at, { relay }] of all.entries()) void departures.begin(relay, `${at}`);
    let over = false;
    const waited = departures.over().then(() => (over = true));
    all[0]!.gone();
    await departures.from('0');
    expect(over).toBe(false);
    departures.destroy();
    expect(all[1]!.calls).toEqual(['stop', 'destroy']);
    all[1]!.gone();
    await waited;
    expect(over).toBe(true);
  });
});
