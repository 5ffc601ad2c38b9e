import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { makeSource, packetsOf } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { countingRelay } from '../support/counting-relay.ts';

const SECONDS = 60;
const FPS = 60;
const WATCHED_SECONDS = 15;

describe.skipIf(!has('ffmpeg') || !has('rtmpdump'))(`real clients over rtmpt${missing('ffmpeg', 'rtmpdump')}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let source: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-soak-'));
    source = join(folder, 'source.flv');
    await makeSource(source, SECONDS, { fps: FPS, rate: '3M' });
    gateway = await startGateway();
  }, 170_000);

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it(`an FFmpeg publisher keeps 0.99 of real time for ${SECONDS} s at 3 Mbit/s and ${FPS} pictures a second`, async () => {
    const target = gateway.url('rtmpt', 'live/paced');
    const began = performance.now();
    const options = ['-v', 'error', '-re', '-progress', 'pipe:1', '-stats_period', '0.5'];
    const limitMs = SECONDS * 3_000;
    const { code, stdout, stderr } = await run(
      'ffmpeg',
      [...options, '-i', source, '-c', 'copy', '-f', 'flv', target],
      limitMs,
    ).finished;
    const elapsed = (performance.now() - began) / 1000;
    expect(code, stderr).toBe(0);
    // Start-up and farewell are no part of the pace, but they count here: a strict reading.
    const published = Number(/.*out_time_us=(\d+)/s.exec(stdout.toString())?.[1]) / 1e6;
    process.stdout.write(
      `published ${published.toFixed(2)} s in ${elapsed.toFixed(2)} s: ${(published / elapsed).toFixed(4)}\n`,
    );
    expect(published).toBeGreaterThan(SECONDS - 1);
    expect(published / elapsed).toBeGreaterThanOrEqual(0.99);
  });

  it('an idle rtmpdump player makes at most 2.5 polls a second', async () => {
    const relay = await countingRelay(gateway.ports.http);
    const url = `rtmpt://127.0.0.1:${relay.port}/live/nobody`;
    const player = run('rtmpdump', ['-q', '--live', '-r', url, '-o', '/dev/null'], 60_000);
    await gateway.until(() => gateway.subscribers('live/nobody') === 1);
    const before = relay.requests;
    await sleep(WATCHED_SECONDS * 1000);
    const rate = (relay.requests - before) / WATCHED_SECONDS;
    player.child.kill('SIGKILL');
    await player.finished;
    await relay.stop();
    process.stdout.write(`idle: ${rate.toFixed(2)} polls/s\n`);
    expect(rate).toBeGreaterThan(0.5);
    expect(rate).toBeLessThanOrEqual(2.5);
  });

  it('a playing rtmpdump player gets at most 1.2 answers a media packet', async () => {
    const relay = await countingRelay(gateway.ports.http);
    const dump = join(folder, 'dump.flv');
    const url = `rtmpt://127.0.0.1:${relay.port}/live/watched`;
    const player = run('rtmpdump', ['-q', '--live', '-r', url, '-o', dump], 120_000);
    await gateway.until(() => gateway.subscribers('live/watched') === 1);
    const before = relay.answers;
    const target = gateway.url('rtmp', 'live/watched');
    const length = ['-t', String(WATCHED_SECONDS)];
    await run('ffmpeg', ['-v', 'error', '-re', ...length, '-i', source, '-c', 'copy', '-f', 'flv', target]).finished;
    const answers = relay.answers - before;
    player.child.kill('SIGINT');
    await player.finished;
    await relay.stop();
    const { video, audio } = await packetsOf(dump);
    const packets = video.length + audio.length;
    process.stdout.write(`playing: ${(answers / packets).toFixed(3)} answers a packet, ${packets} packets\n`);
    expect(packets).toBeGreaterThan(WATCHED_SECONDS * FPS);
    expect(answers / packets).toBeLessThanOrEqual(1.2);
  });
});
