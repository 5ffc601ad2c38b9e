import { afterEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { complaints } from '../support/hls-files.ts';
import { has, missing, run, type Running } from '../support/programs.ts';

const SECONDS = 120;
const FPS = 30;
const LIMIT_MS = (SECONDS + 60) * 1_000;

describe.skipIf(!has('ffmpeg'))(`FFmpeg as a player of HLS${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let publisher: Running;

  afterEach(async () => {
    publisher?.child.kill();
    await gateway?.stop();
  });

  it(
    `gets every picture of AVC and AAC for ${SECONDS} s, as fast as they come, and has nothing to complain of`,
    async () => {
      gateway = await startGateway();
      const args = [
        ...['-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${FPS}`],
        ...['-f', 'lavfi', '-i', 'sine=440:sample_rate=44100', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'],
        ...['-g', '60', '-c:a', 'aac', '-f', 'flv', gateway.url('rtmpts', 'live/soak')],
      ];
      publisher = run('ffmpeg', args, LIMIT_MS);
      await gateway.until(() => gateway.publishing('live/soak'));
      const url = `http://127.0.0.1:${gateway.ports.http}/hls/live/soak/index.m3u8`;
      const since = performance.now();
      const player = ['-v', 'warning', '-i', url, '-t', String(SECONDS), '-map', '0:v', '-map', '0:a', '-c', 'copy'];
      const { code, stdout, stderr } = await run('ffmpeg', [...player, '-f', 'framecrc', '-'], LIMIT_MS).finished;
      const seconds = (performance.now() - since) / 1_000;
      const packets = stdout.toString().split('\n');
      const [pictures, sounds] = ['0,', '1,'].map((track) => packets.filter((line) => line.startsWith(track)).length);
      process.stdout.write(`${seconds.toFixed(1)} s: ${pictures} pictures, ${sounds} packets of sound\n`);
      expect(code).toBe(0);
      expect(complaints(stderr)).toBe('');
      expect(Math.abs(pictures! - SECONDS * FPS)).toBeLessThan(5);
      expect(Math.abs(sounds! - (SECONDS * 44_100) / 1_024)).toBeLessThan(5);
      // It begins three segments behind the end, which it has at once.
      expect(Math.abs(seconds - SECONDS)).toBeLessThan(15);
    },
    LIMIT_MS,
  );
});
