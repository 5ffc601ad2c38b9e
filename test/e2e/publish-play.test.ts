import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scheme } from '../../src/transport/index.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged, makeSource, packetsOf, parseFrameHashes, type Packets } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';

const SCHEMES: readonly Scheme[] = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts'];

/** FFmpeg's tunnel writer discards what it has not flushed when it ends: fewer than `rtmp_flush_interval` (10) packets. */
const TAIL_LOST_BY_FFMPEG: Record<Scheme, number> = { rtmp: 0, rtmps: 0, rtmpt: 10, rtmpts: 10 };

describe.skipIf(!has('ffmpeg'))(`FFmpeg publishes and plays, all sixteen pairs${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let source: Packets;
  const results = new Map<string, Packets>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    await makeSource(join(folder, 'source.flv'), 4);
    source = await packetsOf(join(folder, 'source.flv'));
    gateway = await startGateway({ core: { grace: '300ms' } });
    await Promise.all(SCHEMES.map((scheme) => publishToPlayers(scheme)));
  }, 60_000);

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function publishToPlayers(publisher: Scheme): Promise<void> {
    const players = SCHEMES.map((scheme) => ({
      scheme,
      name: `${publisher}-${scheme}`,
      running: play(publisher, scheme),
    }));
    await gateway.until(() => gateway.subscribers(`live/${publisher}`) === players.length);
    const source = join(folder, 'source.flv');
    const target = gateway.url(publisher, `live/${publisher}`);
    const { code, stderr } = await run('ffmpeg', [
      '-v',
      'error',
      '-re',
      '-i',
      source,
      '-c',
      'copy',
      '-f',
      'flv',
      target,
    ]).finished;
    expect(code, stderr).toBe(0);
    for (const { name, running } of players) {
      results.set(name, parseFrameHashes((await running.finished).stdout.toString()));
    }
  }

  const play = (publisher: Scheme, scheme: Scheme) =>
    run(
      'ffmpeg',
      ['-v', 'error', '-i', gateway.url(scheme, `live/${publisher}`), '-c', 'copy', '-f', 'framemd5', '-'],
      40_000,
    );

  for (const publisher of SCHEMES) {
    for (const player of SCHEMES) {
      it(`packets published over ${publisher} arrive over ${player} unchanged and contiguous`, () => {
        const received = results.get(`${publisher}-${player}`)!;
        expectUnchanged(received, source, TAIL_LOST_BY_FFMPEG[publisher]);
      });
    }
  }
});

describe.skipIf(!has('ffmpeg') || !has('rtmpdump'))(`rtmpdump plays${missing('ffmpeg', 'rtmpdump')}`, () => {
  let gateway: TestGateway;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    await makeSource(join(folder, 'source.flv'), 3);
    gateway = await startGateway({ core: { grace: '300ms' } });
  });

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('over rtmp, rtmps, rtmpt and rtmpts, packets unchanged and contiguous', async () => {
    const dumps = SCHEMES.map((scheme) => {
      const file = join(folder, `${scheme}.flv`);
      return {
        file,
        running: run('rtmpdump', ['-q', '--live', '-r', gateway.url(scheme, 'live/dumped'), '-o', file], 30_000),
      };
    });
    await gateway.until(() => gateway.subscribers('live/dumped') === dumps.length);
    const file = join(folder, 'source.flv');
    const target = gateway.url('rtmp', 'live/dumped');
    await run('ffmpeg', ['-v', 'error', '-re', '-i', file, '-c', 'copy', '-f', 'flv', target]).finished;
    const source = await packetsOf(file);
    for (const { file, running } of dumps) {
      await running.finished;
      expectUnchanged(await packetsOf(file), source, 0);
    }
  }, 60_000);
});
