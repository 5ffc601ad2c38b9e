import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { startGateway } from '../support/gateway.ts';
import { has, missing, run } from '../support/programs.ts';
import { recipe } from '../support/recipes.ts';
import { ROOT } from '../support/sources.ts';

const FOLDER = join(ROOT, 'docs/deploy');
const DOCUMENTS = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));
const FILES = readdirSync(join(FOLDER, 'conf'));
const TEXTS = DOCUMENTS.map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));

describe('Documents about deployment', () => {
  it.each(FILES)('quote %s as it is', (file) => {
    const quoting = TEXTS.filter(({ text }) => text.includes(`(conf/${file})`));
    expect(quoting.length).toBeGreaterThan(0);
    for (const { name, text } of quoting) expect(text.includes(`\n${recipe(file)}\`\`\`\n`), name).toBe(true);
  });

  it.each(TEXTS.filter(({ name }) => name !== 'README.md'))(
    'say in $name what was tested, and how to check',
    ({ text }) => {
      expect(text).toMatch(/^(Tested with .+ on \d{4}-\d\d-\d\d|Not tested here)/m);
      expect(text).toMatch(/^curl /m);
      expect(text).toMatch(/^ffmpeg /m);
    },
  );

  it('are all listed in their index', () => {
    const index = TEXTS.find(({ name }) => name === 'README.md')!.text;
    const others = DOCUMENTS.filter((name) => name !== 'README.md');
    expect(others.filter((name) => !index.includes(`(${name}`))).toEqual([]);
  });
});

describe("The gateway's side of each recipe", () => {
  it.each(FILES.filter((name) => name.endsWith('.yaml')))('%s is a valid configuration', (name) => {
    const file = join(FOLDER, 'conf', name);
    const { config } = loadConfig({ file, env: { CREDENTIALS_DIRECTORY: '/run/credentials' }, terminal: false });
    expect(config.listen.length).toBeGreaterThan(0);
  });
});

describe('The systemd unit', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-unit-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const test = it.skipIf(!has('systemd-analyze'));
  test(`passes systemd's own check without a word${missing('systemd-analyze')}`, async () => {
    // The check wants the program to exist, and Node.js need not be in /usr/bin here.
    const file = join(folder, 'rtmp-gateway.service');
    await writeFile(file, recipe('rtmp-gateway.service').replaceAll('/usr/bin/node', process.execPath));
    const { code, stderr, stdout } = await run('systemd-analyze', ['verify', '--man=no', file]).finished;
    const said = `${stdout.toString()}${stderr}`.split('\n').filter((line) => line.includes('rtmp-gateway.service'));
    expect([code, said]).toEqual([0, []]);
  });
});

describe('The Dockerfile', () => {
  it('copies only what .dockerignore lets through', async () => {
    const passes = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copies = (await dockerfile()).matchAll(/^COPY (?!--from)(.+) \S+$/gm);
    const copied = [...copies].flatMap(([, names]) => names!.split(' '));
    expect(copied.sort()).toEqual(passes.map((line) => line.slice(1)).sort());
  });

  it('asks a gateway for its health with a command that can tell yes from no', async () => {
    const [, json] = /^HEALTHCHECK[^]*?CMD (\[.+\])$/m.exec(await dockerfile())!;
    const [program, ...args] = JSON.parse(json!) as [string, ...string[]];
    const gateway = await startGateway();
    const own = args.map((text) => text.replace('127.0.0.1:8080', `127.0.0.1:${gateway.ports.http}`));
    const healthy = await run(program, own).finished;
    await gateway.stop();
    const gone = await run(program, own).finished;
    expect([healthy.code, gone.code]).toEqual([0, 1]);
  });
});

function dockerfile(): Promise<string> {
  return readFile(join(ROOT, 'Dockerfile'), 'utf8');
}
