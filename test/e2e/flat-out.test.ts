import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged, packetsOf, parseFrameHashes, type Packets } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';

/** Many times what is acknowledged at once, and more than two sockets' buffers hold. */
const SOURCE_BYTES = 12 * 2 ** 20;

describe.skipIf(!has('ffmpeg'))(`FFmpeg publishes a file as fast as it can${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let file: string;
  let source: Packets;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    file = join(folder, 'source.flv');
    const noise = 'testsrc2=size=320x240:rate=30,noise=alls=100:allf=t';
    const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '5', '-g', '30'];
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', noise, '-t', '6', ...codec, file]);
    expect((await stat(file)).size).toBeGreaterThan(SOURCE_BYTES);
    source = await packetsOf(file);
    gateway = await startGateway({ core: { grace: '300ms' } });
  }, 60_000);

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  // FFmpeg closes its socket behind the last frame: an acknowledgement that reaches it then resets the connection.
  it.each(['rtmp', 'rtmps'] as const)(
    'over %s, and all of it arrives',
    async (scheme) => {
      for (let round = 0; round < 3; round++) {
        const stream = `live/${scheme}${round}`;
        const url = gateway.url('rtmp', stream);
        const player = run('ffmpeg', ['-v', 'error', '-i', url, '-c', 'copy', '-f', 'framemd5', '-'], 30_000);
        await gateway.until(() => gateway.subscribers(stream) === 1);
        const target = gateway.url(scheme, stream);
        await run('ffmpeg', ['-v', 'error', '-i', file, '-c', 'copy', '-f', 'flv', target]).finished;
        expectUnchanged(parseFrameHashes((await player.finished).stdout.toString()), source, 0);
      }
    },
    60_000,
  );
});
