import { afterEach, describe, expect, test } from 'vitest';
import type { Duplex } from 'node:stream';
import { formatPost } from '../../support/http-probe.ts';
import { ENGINES, TunnelRig } from '../../support/tunnel-rig.ts';

/** Copies of requests that a proxy makes: what was found with one that makes all kinds of them at random. */

const rigs: TunnelRig[] = [];

afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.stop()));
});

function echo(stream: Duplex): void {
  stream.on('data', (bytes: Buffer) => stream.write(bytes));
}

describe.each(ENGINES)('copies and overtaking behind the %s', (engine) => {
  async function start(): Promise<TunnelRig> {
    const rig = await TunnelRig.start({ engine, core: echo, tunnel: { holdMs: 300 } });
    rigs.push(rig);
    return rig;
  }

  /** Resolves when what other connections brought before has been read. */
  async function read(rig: TunnelRig): Promise<void> {
    const probe = await rig.connect();
    await probe.post('/fcs/ident2');
  }

  test('an idle 1 that overtakes send 0 waits for it', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    const other = await rig.connect();
    other.send(`/idle/${id}/1`);
    await read(rig);
    await probe.post(`/send/${id}/0`, 'hello');
    expect(await other.answer()).toMatchObject({ status: 200 });
    await (await rig.core()).hears('hello');
    expect(rig.tunnels.count).toBe(1);
  });

  test('a copy whose body comes late gets the payload that its number was answered with elsewhere', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    const slow = await rig.connect();
    const post = formatPost(`/send/${id}/1`, 'abcd');
    slow.write(post.subarray(0, -2));
    await read(rig);
    const answer = await probe.post(`/send/${id}/1`, 'abcd');
    expect(answer.body.toString('latin1')).toBe('\x01abcd');
    // Held: the newest number is not answered yet.
    probe.send(`/idle/${id}/2`);
    await read(rig);
    slow.write(post.subarray(-2));
    expect((await slow.answer()).body).toEqual(answer.body);
  });

  test('a copy that waits behind the answers of another session gets it, too, with a later number behind it', async () => {
    const rig = await start();
    const { probe, id } = await rig.open();
    const blocker = await rig.open();
    await probe.post(`/send/${id}/0`, 'x');
    await blocker.probe.post(`/send/${blocker.id}/0`, 'y');
    const shared = await rig.connect();
    shared.send(`/idle/${blocker.id}/2`);
    shared.send(`/send/${id}/1`, 'abcd');
    await read(rig);
    const answer = await probe.post(`/send/${id}/1`, 'abcd');
    expect(answer.body.toString('latin1')).toBe('\x01abcd');
    shared.send(`/idle/${id}/2`);
    await read(rig);
    await blocker.probe.post(`/idle/${blocker.id}/1`);
    expect(await shared.answer()).toMatchObject({ status: 200 });
    expect((await shared.answer()).body).toEqual(answer.body);
    expect((await shared.answer()).body.toString('latin1')).toBe('\x01');
  });
});
