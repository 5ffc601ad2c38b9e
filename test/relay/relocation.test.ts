import { describe, expect, it } from 'vitest';
import type { PushLine } from '../../src/relay/push-line.ts';
import { KEYFRAME_WAIT_MS, Relocation } from '../../src/relay/relocation.ts';
import { targetTemplate } from '../../src/relay/target.ts';
import { recordingLog } from '../support/recording-log.ts';

const target = (host: string) => targetTemplate(`rtmp://${host}/app/key`).fill({ app: 'live', key: 'show' });

/** A connection of which nothing but its end matters here. */
function made(host: string) {
  let end: (fault: Error) => void = () => {};
  const over = new Promise<Error>((resolve) => (end = resolve));
  const line = { target: target(host), ended: () => over, fail: (fault: Error) => end(fault) };
  return { line: line as unknown as PushLine, end };
}

function rig() {
  const { log, lines } = recordingLog();
  const clock = { now: 0 };
  const next = made('next');
  const opened: string[] = [];
  const relocation = new Relocation({
    open: async (place) => {
      opened.push(place.dial);
      return next.line;
    },
    hide: (text) => text,
    log,
    now: () => clock.now,
  });
  return { relocation, clock, next, opened, lines, old: made('old').line };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('going where a server sends us', () => {
  it('waits ten seconds for a keyframe, and not less', async () => {
    const { relocation, clock, next, old } = rig();
    relocation.ask(old, '//next/app');
    expect([relocation.ready, relocation.isOverdue(KEYFRAME_WAIT_MS)]).toEqual([undefined, false]);
    clock.now = 500;
    await turn();
    expect(relocation.ready).toBe(next.line);
    expect(relocation.isOverdue(500 + KEYFRAME_WAIT_MS - 1)).toBe(false);
    expect(relocation.isOverdue(500 + KEYFRAME_WAIT_MS)).toBe(true);
  });

  it('goes to one place at a time, and to another when it is there', async () => {
    const { relocation, opened, old } = rig();
    relocation.ask(old, '//next/app');
    relocation.ask(old, '//third/app');
    await turn();
    relocation.ask(old, '//third/app');
    expect(opened).toEqual(['rtmp://next']);
    relocation.done();
    relocation.ask(old, '//third/app');
    expect(opened).toEqual(['rtmp://next', 'rtmp://third']);
  });

  it('stays where the other place is lost again', async () => {
    const { relocation, next, old, lines } = rig();
    relocation.ask(old, '//next/app');
    await turn();
    next.end(new Error('gone'));
    await turn();
    expect([relocation.ready, relocation.place]).toEqual([undefined, undefined]);
    expect(lines.map(({ message }) => message).at(-1)).toBe('could not follow: gone; staying as long as we may');
  });

  it('ends what is on its way when it is given up, and nothing that is in use', async () => {
    const [first, second] = [rig(), rig()];
    const ended: string[] = [];
    for (const [name, { next }] of Object.entries({ first, second }))
      void next.line.ended().then(() => ended.push(name));
    for (const { relocation, old } of [first, second]) relocation.ask(old, '//next/app');
    await turn();
    first.relocation.cancel();
    second.relocation.done();
    second.relocation.cancel();
    await turn();
    expect(ended).toEqual(['first']);
  });
});
