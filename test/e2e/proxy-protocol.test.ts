import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHaproxy, startNginxStream, type ByteProxy } from '../support/byte-proxies.ts';
import { makeClip, playToEnd, type Clip } from '../support/clip.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing, type Program } from '../support/programs.ts';
import { addressesOf, recordingLog } from '../support/recording-log.ts';

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
  let clip: Clip;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    clip = await makeClip(3);
    const door = { host: '127.0.0.1', port: 0, proxyProtocol: 'require' };
    const settings = { listen: [door, door, door], trustedProxies: [PROXY_ADDRESS], core: { grace: '300ms' } };
    gateway = await startGateway(settings, log);
  }, 60_000);

  afterAll(async () => {
    await gateway?.stop();
    await clip?.remove();
  });

  for (const [program, name, start] of PROXIES) {
    const test = has(program) ? it.concurrent : it.skip;
    test(`publishes and plays over rtmp and rtmps, packets unchanged, under its own address: ${program}, ${name}${missing(program)}`, async () => {
      const proxy = await start(gateway.ports.rtmp);
      const url = (scheme: string, host: string, path: string) => `${scheme}://${host}:${proxy.ports[0]}/${path}`;
      const pairs = WAYS.map(async ({ stream, publisher, player, host, address }) => {
        const path = `${name.replaceAll(/\W/g, '-')}/${stream}`;
        const played = playToEnd(url(player, host, path));
        await gateway.until(() => gateway.subscribers(path) === 1);
        await clip.publish(url(publisher, host, path));
        expectUnchanged(await played, clip.packets, 0);
        expect(addressesOf(lines, path)).toEqual([address]);
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
