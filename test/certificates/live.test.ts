import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveCertificates, type LiveOptions } from '../../src/certificates/index.ts';
import { recordingLog } from '../support/recording-log.ts';

const DAY_MS = 86_400_000;

interface Pair {
  readonly cert: string;
  readonly key: string;
}

let root: string;
let directory: string;
let first: Pair;
let second: Pair;
let authority: Pair;
const opened: LiveCertificates[] = [];

async function pem(name: string, days = 365, ca?: Pair): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 30 * DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
    ...(ca !== undefined && { ca }),
  });
  return { cert: made.cert, key: made.private };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'live-certificates-'));
  authority = await pem('authority');
  [first, second] = await Promise.all([pem('first.example', 200), pem('second.example', 200)]);
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, 'run-'));
});
afterEach(() => {
  for (const live of opened.splice(0)) live.close();
  vi.useRealTimers();
});
afterAll(() => rm(root, { recursive: true }));

/** Put beside the old ones and renamed over them, as most ACME clients do. */
async function put({ cert, key }: Pair, folder = directory): Promise<void> {
  for (const [name, text] of [
    ['fullchain.pem', cert],
    ['privkey.pem', key],
  ] as const) {
    await writeFile(join(folder, `${name}.new`), text, { mode: 0o600 });
    await rename(join(folder, `${name}.new`), join(folder, name));
  }
}

async function open(options: Partial<LiveOptions> = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const { log, lines } = recordingLog();
  const live = await LiveCertificates.open({ directory, certificates: [], ...options }, log);
  opened.push(live);
  let changes = 0;
  live.onChange(() => (changes += 1));
  live.watch();
  const messages = (level: string) => lines.filter((line) => line.level === level).map(({ message }) => message);
  return { live, messages, changes: () => changes, name: () => live.fallback[0]?.names[0] };
}

/** Lets it look at its files so many times. */
async function looks(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const due = vi.getTimerCount();
    await vi.advanceTimersByTimeAsync(1_000);
    while (vi.getTimerCount() < due) await setImmediate();
  }
}

describe('must-do 27: new files take the place of the old ones', () => {
  it('when others are renamed over them, once', async () => {
    await put(first);
    const { changes, name, messages } = await open();
    await looks(3);
    expect(changes()).toBe(0);
    await put(second);
    await looks(2);
    expect([name(), changes()]).toEqual(['second.example', 1]);
    expect(messages('info').slice(-2)).toEqual([
      `serving TLS with ${join(directory, 'fullchain.pem')}`,
      'certificates reloaded; connections that stand are not touched',
    ]);
    await looks(5);
    expect(changes()).toBe(1);
  });

  it('when they are written over in place, in two steps', async () => {
    await put(first);
    const { changes, name, messages } = await open();
    await writeFile(join(directory, 'fullchain.pem'), second.cert.slice(0, 100));
    await looks(1);
    await writeFile(join(directory, 'fullchain.pem'), second.cert);
    await looks(1);
    await writeFile(join(directory, 'privkey.pem'), second.key);
    await looks(3);
    expect([name(), changes()]).toEqual(['second.example', 1]);
    expect(messages('error')).toEqual([]);
  });

  it('when a link is turned elsewhere, as Kubernetes and certbot do', async () => {
    for (const [folder, pair] of [
      ['one', first],
      ['two', second],
    ] as const) {
      await mkdir(join(directory, folder));
      await put(pair, join(directory, folder));
    }
    await symlink('one', join(directory, '..data'));
    await symlink(join('..data', 'fullchain.pem'), join(directory, 'fullchain.pem'));
    await symlink(join('..data', 'privkey.pem'), join(directory, 'privkey.pem'));
    const { changes, name } = await open();
    await symlink('two', join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    await looks(5);
    expect([name(), changes()]).toEqual(['second.example', 1]);
  });

  it('when the first pair is put where there was none', async () => {
    const { changes, name, live } = await open();
    expect(live.fallback[0]?.development).toBe(true);
    await put(first);
    await looks(2);
    expect([name(), changes()]).toEqual(['first.example', 1]);
  });

  it('not when they are touched, nor when SIGHUP finds them unchanged', async () => {
    await put(first);
    const { changes, live } = await open();
    await utimes(join(directory, 'fullchain.pem'), 1, 1);
    await looks(3);
    expect(await live.reload()).toBe(true);
    expect(changes()).toBe(0);
  });

  it('at once when asked to (SIGHUP), also from other places', async () => {
    await put(first);
    const { live, name, changes } = await open();
    await mkdir(join(directory, 'elsewhere'));
    await put(second, join(directory, 'elsewhere'));
    const certificates = [{ cert: 'elsewhere/fullchain.pem', key: 'elsewhere/privkey.pem' }];
    expect(await live.reload({ directory, certificates })).toBe(true);
    expect([name(), changes()]).toEqual(['second.example', 1]);
    await put(first, join(directory, 'elsewhere'));
    await looks(2);
    expect([name(), changes()]).toEqual(['first.example', 2]);
  });

  it('in the order of the calls when several come at once', async () => {
    await put(first);
    const { live, name } = await open();
    const other = live.reload();
    await put(second);
    const [, last] = await Promise.all([other, live.reload()]);
    expect(last).toBe(true);
    expect(name()).toBe('second.example');
  });
});

describe('must-do 26: what is broken keeps the old ones serving, and says why', () => {
  it.each([
    ['a key that is not its own', async () => writeFile(join(directory, 'privkey.pem'), second.key), /does not belong/],
    ['a truncated file', async () => writeFile(join(directory, 'fullchain.pem'), first.cert.slice(0, 200)), /damaged/],
    ['an empty file', async () => writeFile(join(directory, 'fullchain.pem'), ''), /holds no PEM certificate/],
  ] as const)('%s', async (_, damage, why) => {
    await put(first);
    const { changes, name, messages } = await open();
    await damage();
    await looks(4);
    expect([name(), changes()]).toEqual(['first.example', 0]);
    expect(messages('error')).toEqual([expect.stringMatching(why)]);
    await put(second);
    await looks(2);
    expect([name(), changes()]).toEqual(['second.example', 1]);
  });

  it('a file that is gone, when it was named', async () => {
    await put(first);
    const certificates = [{ cert: 'fullchain.pem', key: 'privkey.pem' }];
    const { name, messages } = await open({ certificates });
    await rm(join(directory, 'privkey.pem'));
    await looks(3);
    expect(name()).toBe('first.example');
    expect(messages('error')).toEqual([expect.stringContaining('there is no file')]);
  });

  it('an expired one is served, for it may be all there is, with a warning', async () => {
    await put(first);
    const { name, messages } = await open();
    await put(await pem('expired.example', -1));
    await looks(2);
    expect(name()).toBe('expired.example');
    expect(messages('warn')).toEqual(expect.arrayContaining([expect.stringMatching(/expired/)]));
  });
});

describe('warnings (must-do 33)', () => {
  it('say at start that the chain is not complete', async () => {
    await put(await pem('leaf.example', 100, authority));
    const { messages } = await open();
    expect(messages('warn')).toEqual([expect.stringMatching(/OBS/)]);
  });

  it('say nothing of a development certificate but that it is one', async () => {
    const { messages } = await open();
    expect(messages('warn')).toEqual([]);
    expect(messages('info')).toEqual([expect.stringContaining('development certificate')]);
  });

  it('come again once a day', async () => {
    await put(await pem('soon.example', 10));
    const { messages } = await open();
    const soon = () => messages('warn').filter((message) => /expire/.test(message)).length;
    expect(soon()).toBe(1);
    vi.setSystemTime(Date.now() + DAY_MS - 5_000);
    await looks(3);
    expect(soon()).toBe(1);
    vi.setSystemTime(Date.now() + 5_000);
    await looks(1);
    expect(soon()).toBe(2);
  });

  it('become errors where keys that others may read are forbidden', async () => {
    await put(first);
    await writeFile(join(directory, 'loose.key'), first.key, { mode: 0o644 });
    const certificates = [{ cert: 'fullchain.pem', key: 'loose.key' }];
    const { messages } = await open({ certificates });
    expect(messages('warn')).toEqual(expect.arrayContaining([expect.stringContaining('chmod')]));
    await expect(open({ certificates, strictKeys: true })).rejects.toThrow(/can be read by every user.*chmod/);
    const strict = await open({ certificates: [{ cert: 'fullchain.pem', key: 'privkey.pem' }], strictKeys: true });
    expect(strict.name()).toBe('first.example');
  });
});

describe('authorities of clients', () => {
  it('are read with the certificates, and again when they change', async () => {
    await put(first);
    await writeFile(join(directory, 'ca.pem'), authority.cert);
    const { live, changes } = await open({ trustFiles: ['ca.pem'] });
    expect(live.trust('ca.pem')).toBe(authority.cert);
    await writeFile(join(directory, 'ca.pem'), second.cert);
    await looks(2);
    expect(live.trust('ca.pem')).toBe(second.cert);
    expect(changes()).toBe(1);
  });

  it.each([
    ['nothing of the kind', 'hello', /neither certificates nor revocation lists/],
    ['damage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /cannot be read/],
    ['a damaged list', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n', /TLS cannot use/],
  ])('are refused when there is %s in the file', async (_, text, why) => {
    await writeFile(join(directory, 'ca.pem'), text);
    await expect(open({ trustFiles: ['ca.pem'] })).rejects.toThrow(why);
  });
});

describe('session ticket keys', () => {
  it('change with the clock, and are told of', async () => {
    await put(first);
    const { live, changes } = await open({ tickets: { secret: 'x'.repeat(32), rotationMs: 60_000 } });
    vi.setSystemTime(Math.ceil(Date.now() / 60_000) * 60_000 + 1);
    live.watch();
    const before = live.ticketKeys('');
    await vi.advanceTimersByTimeAsync(59_990);
    expect(live.ticketKeys('')).toEqual(before);
    const told = changes();
    await vi.advanceTimersByTimeAsync(20);
    expect(live.ticketKeys('')).not.toEqual(before);
    expect(changes()).toBe(told + 1);
  });

  it('change when a reload brings another secret', async () => {
    await put(first);
    const { live, changes } = await open();
    const before = live.ticketKeys('');
    await live.reload({ directory, certificates: [], tickets: { secret: 'y'.repeat(32), rotationMs: 60_000 } });
    expect(live.ticketKeys('')).not.toEqual(before);
    expect(changes()).toBe(1);
  });
});

it('holds nothing once it is closed', async () => {
  await put(first);
  const { live } = await open();
  live.close();
  expect(vi.getTimerCount()).toBe(0);
});
