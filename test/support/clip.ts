import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { makeSource, packetsOf, parseFrameHashes, type Packets } from './packets.ts';
import { run } from './programs.ts';

const LIMIT_MS = 40_000;

/** A few seconds of picture and sound in a folder of their own, for FFmpeg to publish, and what is to arrive of them. */
export interface Clip {
  /** Also for what players write. */
  readonly folder: string;
  readonly file: string;
  readonly packets: Packets;
  /** Publishes it with FFmpeg in real time; fails unless FFmpeg is content. */
  publish(url: string, limitMs?: number): Promise<void>;
  remove(): Promise<void>;
}

export async function makeClip(seconds: number): Promise<Clip> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
  const file = join(folder, 'source.flv');
  await makeSource(file, seconds);
  return {
    folder,
    file,
    packets: await packetsOf(file),
    async publish(url, limitMs = LIMIT_MS) {
      const args = ['-v', 'error', '-re', '-i', file, '-c', 'copy', '-f', 'flv', url];
      const { code, stderr } = await run('ffmpeg', args, limitMs).finished;
      expect(code, stderr).toBe(0);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Plays with FFmpeg to the end of the stream. */
export async function playToEnd(url: string, limitMs = LIMIT_MS): Promise<Packets> {
  const args = ['-v', 'error', '-i', url, '-c', 'copy', '-f', 'framemd5', '-'];
  return parseFrameHashes((await run('ffmpeg', args, limitMs).finished).stdout.toString());
}

/** Plays with rtmpdump to the end of the stream, into a file that does not exist yet. */
export async function dumpToEnd(url: string, file: string, limitMs = LIMIT_MS): Promise<Packets> {
  await run('rtmpdump', ['-q', '--live', '-r', url, '-o', file], limitMs).finished;
  return packetsOf(file);
}
