import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { makeClip, type Clip } from '../support/clip.ts';
import { packetsOf } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { ROOT } from '../support/sources.ts';

/** A gateway in a process of its own. */
async function start(
  file: string,
): Promise<{ child: ChildProcess; port: number; until(pattern: RegExp): Promise<void> }> {
  const args = ['--import', 'tsx', join(ROOT, 'test/support/gateway-child.ts'), file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: ROOT });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += String(text)));
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(output)) await once(child.stdout, 'data');
  };
  await until(/"event":"ready".*\n/);
  const [, port = ''] = /"ports":\[(\d+)\]/.exec(output) ?? [];
  return { child, port: Number(port), until };
}

describe.skipIf(!has('ffmpeg'))(`kill -9 in the middle of a recording${missing('ffmpeg')}`, () => {
  let clip: Clip;
  let file = '';

  beforeAll(async () => {
    clip = await makeClip(8);
    file = join(clip.folder, 'rtmp-gateway.yaml');
    const record = ['flv', 'mp4'].map((format) => ({ match: '**', directory: join(clip.folder, format), format }));
    const listen = [{ host: '127.0.0.1', port: 0, protocols: ['rtmp'] }];
    await writeFile(file, stringify({ listen, record, log: { format: 'json' } }));
  });

  afterAll(() => clip?.remove());

  it('leaves what FFmpeg can read, and the next run makes it whole', async () => {
    const first = await start(file);
    const publisher = run('ffmpeg', [
      ...['-v', 'error', '-re', '-i', join(clip.folder, 'source.flv'), '-c', 'copy', '-f', 'flv'],
      `rtmp://127.0.0.1:${first.port}/live/cam`,
    ]);
    await first.until(/"msg":"recording"[^]*"msg":"recording"/);
    await sizeAbove(join(clip.folder, 'mp4', 'live'), 150_000);
    first.child.kill('SIGKILL');
    await publisher.finished;
    for (const format of ['flv', 'mp4']) {
      const [name, ...others] = await readdir(join(clip.folder, format, 'live'));
      expect([name, others]).toEqual([expect.stringMatching(new RegExp(`\\.${format}\\.part$`)), []]);
      const { video } = await packetsOf(join(clip.folder, format, 'live', name!));
      expectBeginning(video, clip.packets.video, 60);
    }
    const second = await start(file);
    await second.until(/made whole[^]*made whole/);
    second.child.kill('SIGTERM');
    await once(second.child, 'close');
    for (const format of ['flv', 'mp4']) {
      const [name, ...others] = await readdir(join(clip.folder, format, 'live'));
      expect([name, others]).toEqual([expect.stringMatching(new RegExp(`Z\\.${format}$`)), []]);
      const path = join(clip.folder, format, 'live', name!);
      expectBeginning((await packetsOf(path)).video, clip.packets.video, 60);
      const { stderr } = await run('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-']).finished;
      expect(stderr).toBe('');
    }
  }, 90_000);
});

/** At least `count` packets, from the first on, in order. */
function expectBeginning(packets: readonly string[], source: readonly string[], count: number): void {
  const bare = (all: readonly string[]) => all.map((packet) => packet.replace(/^\S+ /, ''));
  expect(packets.length).toBeGreaterThanOrEqual(count);
  expect(bare(packets)).toEqual(bare(source).slice(0, packets.length));
}

async function sizeAbove(folder: string, bytes: number): Promise<void> {
  for (;;) {
    const names = await readdir(folder).catch(() => []);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    if (sizes.some((size) => size > bytes)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
