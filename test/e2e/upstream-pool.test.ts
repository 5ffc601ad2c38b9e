import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Scheme } from '../../src/transport/index.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { freePort } from '../../bench/measure/ports.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { makeSource } from '../support/packets.ts';
import { has, missing, run, type Running } from '../support/programs.ts';
import { recordingLog, type LogLine } from '../support/recording-log.ts';
import { SCHEMES } from '../support/sixteen-pairs.ts';

const isReady = has('ffmpeg') && has('rtmpdump') && has('nginx-rtmp');
const absent = missing('ffmpeg', 'rtmpdump', 'nginx-rtmp');

let folder: string;
let gateway: TestGateway;
let nginxes: NginxRtmp[] = [];
let running: Running[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
  if (isReady) await makeSource(join(folder, 'source.flv'), 20);
});

afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ finished }) => finished));
  running = [];
  await gateway?.stop();
  await Promise.all(nginxes.map((nginx) => nginx.stop()));
  nginxes = [];
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function start(program: string, ...args: string[]): Running {
  const started = run(program, args, 60_000);
  running.push(started);
  return started;
}

const publish = (scheme: Scheme, name: string): Running =>
  start(
    'ffmpeg',
    ...['-v', 'error', '-re', '-i', join(folder, 'source.flv'), '-c', 'copy', '-f', 'flv'],
    gateway.url(scheme, `live/${name}`),
  );

const play = (scheme: Scheme, name: string): Running =>
  start('ffmpeg', '-v', 'error', '-i', gateway.url(scheme, `live/${name}`), '-c', 'copy', '-f', 'null', '-');

const dump = (scheme: Scheme, name: string): Running =>
  start('rtmpdump', '-q', '--live', '-r', gateway.url(scheme, `live/${name}`), '-o', '/dev/null');

async function nginx(): Promise<NginxRtmp> {
  const server = await NginxRtmp.start();
  nginxes.push(server);
  return server;
}

/** How long until all of them have ended. */
async function endingMs(programs: readonly Running[]): Promise<number> {
  const asked = performance.now();
  await Promise.all(programs.map(({ finished }) => finished));
  return performance.now() - asked;
}

/** What people are told of the servers at the default level. */
const told = (lines: readonly LogLine[]): string[] =>
  lines
    .filter(({ level, message }) => level !== 'debug' && message.startsWith('upstream rtmp'))
    .map(({ message }) => message);

describe.skipIf(!isReady)(`nginx-rtmp is killed under load${absent}`, () => {
  it.each(['least-connections', 'hash'])(
    'clients of all kinds end within 5 s, new ones work, and nothing is left (%s)',
    async (balance) => {
      const { log, lines } = recordingLog();
      const server = await nginx();
      gateway = await startGateway({ core: { upstreams: [server.url], balance } }, log);
      const publishers = SCHEMES.map((scheme) => publish(scheme, scheme));
      await Promise.all(SCHEMES.map((scheme) => server.has(scheme, 1)));
      const players = SCHEMES.flatMap((scheme) => [play(scheme, 'rtmp'), dump(scheme, 'rtmps')]);
      await Promise.all([server.has('rtmp', 5), server.has('rtmps', 5)]);

      await server.kill();
      expect(await endingMs([...publishers, ...players])).toBeLessThan(5_000);
      const counts = () => gateway.gateway.counts();
      await gateway.until(
        () => counts().rtmpConnections + counts().tunnels + counts().upstreamConnections === 0,
        5_000,
      );

      const refused = SCHEMES.flatMap((scheme) => [publish(scheme, 'x'), play(scheme, 'x'), dump(scheme, 'x')]);
      expect(await endingMs(refused)).toBeLessThan(5_000);

      await server.start();
      const again = SCHEMES.map((scheme) => publish(scheme, scheme));
      await Promise.all(SCHEMES.map((scheme) => server.has(scheme, 1)));
      const dumps = SCHEMES.map((scheme) => dump(scheme, 'rtmpt'));
      await server.has('rtmpt', 5);
      expect(told(lines)).toEqual([
        expect.stringMatching(/^upstream rtmp:\/\/127.0.0.1:\d+ is down: connection refused; trying again in 1 s$/),
        expect.stringMatching(/^upstream rtmp:\/\/127.0.0.1:\d+ is back after \d+ s$/),
      ]);
      for (const { child } of [...again, ...dumps]) child.kill('SIGKILL');
      await endingMs([...again, ...dumps]);
      // Whoever is killed in a tunnel never says so; stopping ends it.
      await gateway.stop();
      const left = Object.entries(gateway.gateway.counts()).filter(([, count]) => count !== 0);
      expect(left).toEqual([]);
    },
    60_000,
  );
});

describe.skipIf(!isReady)(`a pool of two nginx-rtmp and a dead port${absent}`, () => {
  it('least-connections: no client notices the dead one, the others share', async () => {
    const { log, lines } = recordingLog();
    const dead = `rtmp://127.0.0.1:${await freePort()}`;
    const [one, other] = [await nginx(), await nginx()];
    gateway = await startGateway({ core: { upstreams: [dead, one.url, other.url] } }, log);
    const publishers = SCHEMES.flatMap((scheme) => [publish(scheme, `${scheme}-1`), publish(scheme, `${scheme}-2`)]);
    await gateway.until(() => gateway.gateway.counts().upstreamConnections === 8);
    expect(gateway.gateway.upstreams().map(({ connections }) => connections)).toEqual([0, 4, 4]);
    await Promise.race([
      ...publishers.map(({ finished }) => finished),
      new Promise((resolve) => setTimeout(resolve, 1_500)),
    ]);
    expect(publishers.every(({ child }) => child.exitCode === null)).toBe(true);
    const published = await Promise.all([one, other].map(async (server) => [...(await server.clients()).keys()]));
    expect(published.map((names) => names.length)).toEqual([4, 4]);
    expect(new Set(published.flat()).size).toBe(8);
    expect(told(lines)).toEqual([`upstream ${dead} is down: connection refused; trying again in 1 s`]);
  }, 60_000);

  it('hash: each stream has one server, whoever comes for it and over whatever', async () => {
    const dead = `rtmp://127.0.0.1:${await freePort()}`;
    const [one, other] = [await nginx(), await nginx()];
    gateway = await startGateway({ core: { upstreams: [dead, one.url, other.url], balance: 'hash' } });
    const names = Array.from({ length: 8 }, (_, index) => `stream-${index}`);
    names.forEach((name, index) => publish(SCHEMES[index % 4]!, name));
    await gateway.until(() => gateway.gateway.counts().upstreamConnections === names.length);
    for (const [index, name] of names.entries()) dump(SCHEMES[(index + 1) % 4]!, name);
    const knownTo = async (server: NginxRtmp): Promise<Record<string, number>> =>
      Object.fromEntries(await server.clients());
    // Publisher and player meet at the same server: two clients of every stream, at one of the two.
    await expect
      .poll(async () => ({ ...(await knownTo(one)), ...(await knownTo(other)) }), { timeout: 15_000 })
      .toEqual(Object.fromEntries(names.map((name) => [name, 2])));
    const shares = await Promise.all([one, other].map(async (server) => Object.keys(await knownTo(server)).length));
    expect(shares[0]! + shares[1]!).toBe(names.length);
    const connections = gateway.gateway.upstreams().map((upstream) => upstream.connections);
    expect(connections).toEqual([0, 2 * shares[0]!, 2 * shares[1]!]);
  }, 60_000);
});
