import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingRelay } from '../support/counting-relay.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { makeSource, packetsOf } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { recordingLog } from '../support/recording-log.ts';

const SECONDS = 6;
const FPS = 60;
/** FFmpeg starts and reads its input for this long before the first packet leaves. */
const START_SECONDS = 0.5;

/** The short form; `npm run soak` watches for a minute. */
describe.skipIf(!has('ffmpeg') || !has('rtmpdump'))(`real tunnel clients${missing('ffmpeg', 'rtmpdump')}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let source: string;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    source = join(folder, 'source.flv');
    await makeSource(source, SECONDS, { fps: FPS, rate: '3M' });
    gateway = await startGateway({}, log);
  }, 60_000);

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const publish = (path: string) => {
    const target = gateway.url('rtmpt', path);
    return run('ffmpeg', ['-v', 'error', '-re', '-i', source, '-c', 'copy', '-f', 'flv', target]);
  };

  it('check 15: FFmpeg publishes in real time, and its /close unpublishes at once', async () => {
    const began = performance.now();
    const { code, stderr } = await publish('live/paced').finished;
    const elapsed = (performance.now() - began) / 1000;
    expect(code, stderr).toBe(0);
    expect(elapsed).toBeLessThan(SECONDS / 0.97 + START_SECONDS);
    await gateway.until(() => !gateway.publishing('live/paced'), 250);
  });

  it('check 16: an idle rtmpdump player polls at most 2.5 times a second, a playing one takes 1.2 answers a packet', async () => {
    const relay = await countingRelay(gateway.ports.http);
    const dump = join(folder, 'dump.flv');
    const url = `rtmpt://127.0.0.1:${relay.port}/live/watched`;
    const player = run('rtmpdump', ['-q', '--live', '-r', url, '-o', dump]);
    await gateway.until(() => gateway.subscribers('live/watched') === 1);
    const requests = relay.requests;
    await sleep(4000);
    expect((relay.requests - requests) / 4).toBeLessThanOrEqual(2.5);
    const answers = relay.answers;
    await publish('live/watched').finished;
    const taken = relay.answers - answers;
    player.child.kill('SIGINT');
    await player.finished;
    await relay.stop();
    const { video, audio } = await packetsOf(dump);
    expect(video.length).toBeGreaterThan((SECONDS - 1) * FPS);
    expect(taken / (video.length + audio.length)).toBeLessThanOrEqual(1.2);
  }, 40_000);

  it('check 29: tcUrl arrives at the core as the client wrote it, scheme and all', () => {
    const said = lines.filter(({ message }) => message === 'connected').map(({ fields }) => fields);
    expect(said).toContainEqual(expect.objectContaining({ app: 'live', tcUrl: gateway.url('rtmpt', 'live') }));
  });
});
