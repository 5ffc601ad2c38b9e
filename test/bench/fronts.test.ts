import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Contender, Entry } from '../../bench/measure/contender.ts';
import { inFront } from '../../bench/measure/front.ts';
import { writePair } from '../../bench/measure/tls.ts';

/** An entry that writes down what is done to it. */
function entry(name: string, rtmp: number, diary: string[], starts = true): Entry {
  return {
    name,
    start: (upstream) => {
      diary.push(`start ${name}${upstream === undefined ? '' : ` before ${upstream}`}`);
      const stop = () => Promise.resolve(void diary.push(`stop ${name}`));
      const contender: Contender = { name, pid: rtmp + 1, rtmp, http: 0, rtmps: 0, publish: rtmp, stop };
      return starts ? Promise.resolve(contender) : Promise.reject(new Error('it does not start'));
    },
  };
}

describe('a front with a server behind it', () => {
  it('is measured by itself, published to behind its back, and stopped before its server', async () => {
    const diary: string[] = [];
    const contender = await inFront(entry('front', 100, diary), entry('server', 200, diary)).start();
    expect(contender).toMatchObject({ name: 'front', pid: 101, rtmp: 100, publish: 200 });
    await contender.stop();
    expect(diary).toEqual(['start server', 'start front before 200', 'stop front', 'stop server']);
  });

  it('leaves no server running when it cannot start', async () => {
    const diary: string[] = [];
    await expect(inFront(entry('front', 100, diary, false), entry('server', 200, diary)).start()).rejects.toThrow(
      'it does not start',
    );
    expect(diary.at(-1)).toBe('stop server');
  });

  it('is missing with either of the two', () => {
    const absent = { ...entry('absent', 1, []), missing: 'not installed' };
    expect(inFront(absent, entry('server', 2, [])).missing).toBe('not installed');
    expect(inFront(entry('front', 1, []), absent).missing).toBe('not installed');
    expect(inFront(entry('front', 1, []), entry('server', 2, [])).missing).toBeUndefined();
  });
});

describe('the certificate of a run', () => {
  it('is one EC P-256 certificate for all contenders', async () => {
    const folders = await Promise.all([0, 1].map(() => mkdtemp(join(tmpdir(), 'bench-pair-'))));
    const pairs = await Promise.all(folders.map((folder) => writePair(folder)));
    const [first, second] = await Promise.all(pairs.map(({ cert }) => readFile(cert, 'utf8')));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
    expect(first).toBe(second);
    const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(first!).publicKey;
    expect([asymmetricKeyType, asymmetricKeyDetails?.namedCurve]).toEqual(['ec', 'prime256v1']);
  });
});
