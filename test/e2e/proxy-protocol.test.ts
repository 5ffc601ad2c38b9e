import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHaproxy, startNginxStream, type ByteProxy } from '../support/byte-proxies.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged, makeSource, packetsOf, parseFrameHashes, type Packets } from '../support/packets.ts';
import { has, missing, run, type Program } from '../support/programs.ts';
import { recordingLog } from '../support/recording-log.ts';

/** The proxies connect from here, and from nowhere else may anybody connect; clients are on 127.0.0.1 and ::1. */
const PROXY_ADDRESS = '127.0.0.77';

const HAPROXY = ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority'];

const PROXIES: ReadonlyArray<readonly [Program, name: string, (target: number) => Promise<ByteProxy>]> = [
  ...HAPROXY.map(
    (options) => ['haproxy', options, (target: number) => startHaproxy([options], target, PROXY_ADDRESS)] as const,
  ),
  ['nginx-stream', 'proxy_protocol on', (target) => startNginxStream(target, PROXY_ADDRESS)],
];

/** Publishing over one, playing over the other, from an IPv4 and from an IPv6 address. */
const WAYS = [
  { stream: 'open', publisher: 'rtmp', player: 'rtmps', host: '127.0.0.1', address: '127.0.0.1' },
  { stream: 'secure', publisher: 'rtmps', player: 'rtmp', host: '[::1]', address: '::1' },
] as const;

describe.skipIf(!has('ffmpeg'))(`FFmpeg behind a PROXY protocol${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let source: Packets;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    await makeSource(join(folder, 'source.flv'), 3);
    source = await packetsOf(join(folder, 'source.flv'));
    const door = { host: '127.0.0.1', port: 0, proxyProtocol: 'require' };
    const settings = { listen: [door, door, door], trustedProxies: [PROXY_ADDRESS], core: { grace: '300ms' } };
    gateway = await startGateway(settings, log);
  }, 60_000);

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [program, name, start] of PROXIES) {
    const test = has(program) ? it.concurrent : it.skip;
    test(`publishes and plays over rtmp and rtmps, packets unchanged, under its own address: ${program}, ${name}${missing(program)}`, async () => {
      const proxy = await start(gateway.ports.rtmp);
      const url = (scheme: string, host: string, path: string) => `${scheme}://${host}:${proxy.ports[0]}/${path}`;
      const pairs = WAYS.map(async ({ stream, publisher, player, host, address }) => {
        const path = `${name.replaceAll(/\W/g, '-')}/${stream}`;
        const playing = run('ffmpeg', ['-v', 'error', '-i', url(player, host, path), ...HASHES], 40_000);
        await gateway.until(() => gateway.subscribers(path) === 1);
        const input = ['-v', 'error', '-re', '-i', join(folder, 'source.flv'), '-c', 'copy', '-f', 'flv'];
        const { code, stderr } = await run('ffmpeg', [...input, url(publisher, host, path)]).finished;
        expect(code, stderr).toBe(0);
        expectUnchanged(parseFrameHashes((await playing.finished).stdout.toString()), source, 0);
        const seen = lines.filter(({ fields }) => isAbout(fields, path) && 'address' in fields);
        expect(seen.length).toBeGreaterThan(1);
        expect(new Set(seen.map(({ fields }) => (fields as { address: string }).address))).toEqual(new Set([address]));
      });
      try {
        await Promise.all(pairs);
      } finally {
        await proxy.stop();
      }
    }, 60_000);
  }

  it('is closed when it comes by itself', async () => {
    const socket = net.connect(gateway.ports.rtmp, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n\x03');
    await new Promise((resolve) => socket.on('close', resolve));
    const fields = expect.objectContaining({ code: 'PROXY_UNTRUSTED', address: '127.0.0.1' });
    expect(lines).toContainEqual(expect.objectContaining({ level: 'info', fields }));
  });

  it("leaves nothing in the log of the proxies' health checks", () => {
    const told = lines.filter(
      ({ level, fields }) => level !== 'debug' && 'code' in fields && String(fields.code).startsWith('PROXY'),
    );
    expect(told.map(({ fields }) => fields)).toEqual([expect.objectContaining({ code: 'PROXY_UNTRUSTED' })]);
  });
});

const HASHES = ['-c', 'copy', '-f', 'framemd5', '-'];

/** Whether a log line is about a stream; its name is cut after four characters there. */
function isAbout(fields: object, path: string): boolean {
  const [app, stream = ''] = path.split('/');
  return (
    'app' in fields && fields.app === app && 'stream' in fields && stream.startsWith(String(fields.stream).slice(0, 4))
  );
}
