import { afterEach, describe, expect, it, vi } from 'vitest';
import { property } from '../../src/protocol/index.ts';
import { avcHeader, key } from '../support/frames.ts';
import { FarServer, type ConnectAnswer } from '../support/far-server.ts';
import { passwordHabits, SERVER_PASSWORD, SERVER_USER } from '../support/password-server.ts';
import { drainSea, island, links, shore, type Island } from '../support/relay-rig.ts';

const until = vi.waitFor;

afterEach(drainSea);

const answering = (answer: ConnectAnswer) => shore('far', new FarServer({ connect: () => answer }));

function pushing(to: string, more: object = {}): Island {
  const ours = island('ours', [{ push: 'live/*', to, ...more }]);
  ours.publish('live/show').send(avcHeader(), key(0));
  return ours;
}

const shownOf = (ours: Island): string => JSON.stringify([ours.relays.list(), ours.lines]);

describe('connecting to a server that asks for a password', () => {
  it.each(['adobe', 'adobe with opaque', 'llnw'] as const)('answers on the third connection: %s', async (mode) => {
    const far = shore('far', new FarServer(passwordHabits(mode)));
    const ours = pushing('rtmp://far/live/key', { user: SERVER_USER, password: SERVER_PASSWORD });
    await until(() => expect(far.visits.map(({ publishing }) => publishing)).toEqual([undefined, undefined, 'key']));
    expect(links(ours)[0]).toMatchObject({ state: 'live', attempts: 1, lastError: undefined });
    expect(far.visits.map(({ app, tcUrl }) => tcUrl === `rtmp://far/${app}`)).toEqual([true, true, true]);
    expect(shownOf(ours)).not.toContain(SERVER_PASSWORD);
  });

  it.each([
    [SERVER_USER, 'wrong-one', 'authfailed'],
    ['somebody', SERVER_PASSWORD, 'nosuchuser'],
  ])('as %s with %s is refused in words, and waits long', async (user, password, reason) => {
    shore('far', new FarServer(passwordHabits('adobe')));
    const ours = pushing('rtmp://far/live/key', { user, password });
    await until(() => expect(links(ours)[0]).toMatchObject({ state: 'waiting' }));
    expect(links(ours)[0]).toMatchObject({
      lastError: {
        kind: 'refused',
        code: 'AUTH_REFUSED',
        message: `the server refuses the user or the password (${reason})`,
      },
    });
    expect(links(ours)[0]!.retryInMs).toBeGreaterThan(30_000);
    expect(shownOf(ours)).not.toContain(password);
  });

  it('without one is told what to write', async () => {
    shore('far', new FarServer(passwordHabits('adobe')));
    const ours = pushing('rtmp://far/live/key');
    await until(() => expect(links(ours)[0]).toMatchObject({ lastError: { code: 'AUTH_NEEDED' } }));
  });

  it('gives up on one that asks again and again', async () => {
    const far = answering({ reject: '[ authmod=adobe ] : ?reason=needauth&salt=a&challenge=b' });
    const ours = pushing('rtmp://u:p@far/live/key');
    await until(() => expect(links(ours)[0]).toMatchObject({ lastError: { code: 'AUTH_REFUSED' } }));
    expect(far.visits).toHaveLength(3);
  });

  it('takes any other refusal for what it is', async () => {
    const far = answering({ reject: 'we are closed' });
    const ours = pushing('rtmp://u:p@far/live/key');
    await until(() => expect(links(ours)[0]).toMatchObject({ lastError: { code: 'REFUSED_BY_SERVER' } }));
    expect([far.visits.length, links(ours)[0]!.lastError!.message.includes('we are closed')]).toEqual([1, true]);
  });
});

it('the words of a server are shown without our answer to it', async () => {
  const far = passwordHabits('adobe');
  const connect = (...[properties, visit]: Parameters<NonNullable<typeof far.connect>>): ConnectAnswer =>
    visit < 2 ? far.connect!(properties, visit) : { reject: `no such app ${String(property(properties, 'app'))}` };
  shore('far', new FarServer({ connect }));
  const ours = pushing(`rtmp://${SERVER_USER}:p@far/live/key`);
  await until(() => expect(links(ours)[0]!.lastError).toBeDefined());
  expect(links(ours)[0]!.lastError!.message).toMatch(/no such app live\?authmod=adobe&user=…&challenge=…&response=…$/);
});

describe('what a relay says of itself', () => {
  it('is that it forwards tracks and follows; one that fetches does not follow', async () => {
    const far = shore('far', new FarServer());
    pushing('rtmp://far/live/key');
    await until(() => expect(far.visits[0]?.publishing).toBe('key'));
    const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://far/live/{stream}' }]);
    edge.watch('cdn/show');
    await until(() => expect(far.visits[1]?.has('connect')).toBe(true));
    expect(far.visits.map(({ properties }) => property(properties, 'capsEx'))).toEqual([7, 6]);
  });
});

it('a session of a relay has the limits that clients have here', async () => {
  const far = shore('far', new FarServer({ connect: () => ({ reject: 'no' }) }));
  const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/a/b' }], { session: { chunkSize: 4321 } });
  ours.publish('live/show').send(key(0));
  await until(() => expect(far.visits[0]?.chunkSize).toBe(4321));
});
