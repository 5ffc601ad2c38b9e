import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlvWriter } from '../../../src/delivery/recording/flv-writer.ts';
import { DISK } from '../../../src/delivery/recording/store.ts';
import { aacHeader, audio, avcHeader, inter, key } from '../../support/frames.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-record-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const HEADERS = [avcHeader(), aacHeader()];
const FRAMES = [key(0), audio(5), inter(40), audio(45), inter(80, 3, 5000)];

/** A whole recording's bytes, and the places where its tags end. */
async function recording(): Promise<{ whole: Buffer; ends: number[] }> {
  const file = await DISK.create(folder, [], 'golden', 'flv');
  const writer = new FlvWriter(file, HEADERS);
  const ends: number[] = [];
  for (const frame of FRAMES) {
    writer.add(frame, frame.timestamp);
    await writer.flush();
    ends.push((await stat(`${file.path}.part`)).size);
  }
  await writer.close();
  const whole = await readFile(file.path);
  rmSync(file.path);
  return { whole, ends };
}

describe('A recording on the disk', () => {
  it('has a provisional name until it is whole', async () => {
    const file = await DISK.create(folder, ['live', 'a'], 'cam', 'flv');
    await file.append([Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]);
    expect(await readdir(join(folder, 'live', 'a'))).toEqual(['cam.flv.part']);
    await file.patch(Buffer.from('O'), 0);
    await file.finish();
    expect(file.path).toBe(join(folder, 'live', 'a', 'cam.flv'));
    expect(await readdir(join(folder, 'live', 'a'))).toEqual(['cam.flv']);
    expect(await readFile(file.path, 'utf8')).toBe('Onetwo');
  });

  it('takes more pieces than one call of the system does', async () => {
    const file = await DISK.create(folder, [], 'many', 'flv');
    await file.append(Array.from({ length: 2500 }, (_, index) => Buffer.from(`${index};`)));
    await file.finish();
    expect((await readFile(file.path, 'utf8')).split(';')).toHaveLength(2501);
  });

  it('never takes the place of another, whole or not', async () => {
    await writeFile(join(folder, 'cam.flv'), 'mine');
    await writeFile(join(folder, 'cam-2.flv.part'), 'mine too');
    const file = await DISK.create(folder, [], 'cam', 'flv');
    expect(file.path).toBe(join(folder, 'cam-3.flv'));
    await file.finish();
  });

  it('is not there when nothing was written', async () => {
    const file = await DISK.create(folder, [], 'empty', 'flv');
    await file.patch(Buffer.from('x'), 3);
    await file.finish();
    expect(await readdir(folder)).toEqual([]);
  });

  it('shows by its time that it is being written', async () => {
    const file = await DISK.create(folder, ['live'], 'cam', 'mp4');
    await file.touch(1_000_000);
    const [left] = await DISK.leftovers(folder);
    expect(left).toEqual({ path: join(folder, 'live', 'cam.mp4.part'), size: 0, modifiedMs: 1_000_000 });
    await file.finish();
  });
});

describe('What is left of a recording', () => {
  it('is found below its directory, and nothing else is', async () => {
    await mkdir(join(folder, 'live'));
    for (const name of ['a.flv.part', 'b.flv', 'c.part', 'd.mp4.part'])
      await writeFile(join(folder, 'live', name), 'x');
    await symlink('/etc/hostname', join(folder, 'e.flv.part'));
    expect((await DISK.leftovers(folder)).map(({ path }) => path).sort()).toEqual(
      ['a.flv.part', 'd.mp4.part'].map((name) => join(folder, 'live', name)),
    );
    expect(await DISK.leftovers(join(folder, 'absent'))).toEqual([]);
  });

  it('is whole again up to its last whole tag, wherever it was torn', async () => {
    const { whole, ends } = await recording();
    const first = ends[0]!;
    for (let length = first; length <= whole.length; length += length < first + 200 ? 1 : 997) {
      const part = join(folder, 'torn.flv.part');
      // As a crash leaves it: without what only the end tells.
      const torn = Buffer.from(whole.subarray(0, length));
      torn[4] = 5;
      await writeFile(part, torn);
      expect(await DISK.mend(part)).toBe(join(folder, 'torn.flv'));
      const mended = await readFile(join(folder, 'torn.flv'));
      expect(mended.length).toBe(ends.findLast((end) => end <= length));
      rmSync(join(folder, 'torn.flv'));
    }
  });

  it('is exactly what it would have been when nothing is missing', async () => {
    const { whole } = await recording();
    const part = join(folder, 'all.flv.part');
    const unfinished = Buffer.from(whole);
    unfinished[4] = 0;
    const at = unfinished.indexOf('duration') + 'duration'.length + 1;
    expect(unfinished.readDoubleBE(at)).toBe(0.08);
    unfinished.fill(0, at, at + 8);
    await writeFile(part, unfinished);
    await DISK.mend(part);
    expect(await readFile(join(folder, 'all.flv'))).toEqual(whole);
  });

  it.each([
    ['nothing', ''],
    ['half a header', 'FLV'],
    ['a header alone', 'FLV\x01\x05\0\0\0\x09\0\0\0\0'],
    ['something else', 'x'.repeat(500)],
  ])('is removed when it holds %s', async (_, text) => {
    const part = join(folder, 'x.flv.part');
    await writeFile(part, text, 'latin1');
    expect(await DISK.mend(part)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  it('as MP4 keeps whole fragments only, and large ones', async () => {
    const box = (type: string, size: number) => {
      const bytes = Buffer.alloc(size, 7);
      bytes.writeUInt32BE(size);
      bytes.write(type, 4);
      return bytes;
    };
    const large = box('mdat', 40);
    large.writeUInt32BE(1);
    large.writeBigUInt64BE(40n, 8);
    const head = [box('ftyp', 20), box('moov', 60), box('moof', 30), box('mdat', 50), box('moof', 30)];
    const all = Buffer.concat([...head, large, box('moof', 30), box('mdat', 50).subarray(0, 49)]);
    const part = join(folder, 'x.mp4.part');
    for (const [length, kept] of [
      [all.length, 230],
      [230, 230],
      [229, 160],
      [160, 160],
    ] as const) {
      await writeFile(part, all.subarray(0, length));
      expect(await DISK.mend(part)).toBe(join(folder, 'x.mp4'));
      expect((await stat(join(folder, 'x.mp4'))).size).toBe(kept);
      rmSync(join(folder, 'x.mp4'));
    }
    await writeFile(part, all.subarray(0, 159));
    expect(await DISK.mend(part)).toBeUndefined();
  });

  it('takes no name that is there', async () => {
    const { whole } = await recording();
    await writeFile(join(folder, 'x.flv.part'), whole);
    await writeFile(join(folder, 'x.flv'), 'mine');
    await expect(DISK.mend(join(folder, 'x.flv.part'))).rejects.toThrow('is there already');
    expect(await readFile(join(folder, 'x.flv'), 'utf8')).toBe('mine');
  });
});

/** A file system of its own, which only root may make. */
function mount(path: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('A disk that is really full', () => {
  it('leaves what was written before as a whole file', async (context) => {
    if (!mount(folder)) return context.skip('only root may mount the small disk that it fills');
    try {
      const file = await DISK.create(folder, [], 'full', 'flv');
      const writer = new FlvWriter(file, HEADERS);
      let written = 0;
      await expect(
        (async () => {
          for (let at = 0; ; at += 40, written++) {
            writer.add(key(at, 0, 10_000), at);
            await writer.flush();
          }
        })(),
      ).rejects.toMatchObject({ code: 'ENOSPC' });
      await writer.close();
      expect(await readdir(folder)).toEqual(['full.flv']);
      const bytes = await readFile(file.path);
      const last = bytes.readUInt32BE(bytes.length - 4);
      expect(last).toBe(11 + 10_000);
      expect(bytes.length).toBeGreaterThan(written * 10_000);
      expect(await DISK.hasRoom(folder)).toBe(false);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});
