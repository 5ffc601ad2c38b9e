import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { loadConfig } from '../../src/config/index.ts';
import { RtmpClient } from '../../src/endpoint/index.ts';
import { messageFromFrame } from '../../src/media/index.ts';
import { dialer, type Scheme } from '../../src/transport/index.ts';
import { avcHeader, inter, key } from './frames.ts';
import { startGateway, type TestGateway } from './gateway.ts';

export interface ReloadRun {
  /** Certificates that new connections were given, of which each should be another. */
  readonly seen: number;
  /** Pictures that were published, and of these what reached players. */
  readonly sent: number;
  readonly received: number;
  /** Pictures that came out of their order, or after a gap. */
  readonly disturbed: number;
  /** Connections that ended before they should. */
  readonly ended: number;
}

const SECURE: readonly Scheme[] = ['rtmps', 'rtmpts'];
const FRAME_MS = 40;
const SEQUENCE_AT = 8;

/** So many publishers with a player each, over rtmps and rtmpts, while certificates are changed so many times. */
export async function reloadUnder(streams: number, reloads: number, pauseMs: number): Promise<ReloadRun> {
  const folder = await mkdtemp(join(tmpdir(), 'reloads-'));
  const pairs = await Promise.all([1, 2].map((n) => makePair(`gateway ${n}`)));
  await put(folder, pairs[0]!);
  const settings = { tls: { directory: folder }, limits: { connectionsPerAddress: 1_000 } };
  const gateway = await startGateway(settings);
  const lives = await Promise.all(Array.from({ length: streams }, (_, index) => Live.start(gateway, index)));
  const { config } = loadConfig({ flags: { certs: folder }, env: {}, terminal: false });
  const seen: string[] = [];
  for (let round = 1; round <= reloads; round++) {
    await put(folder, pairs[round % 2]!);
    await gateway.gateway.reloadCertificates(config.tls);
    seen.push(await fingerprintAt(gateway.ports.https));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  for (const live of lives) live.stop();
  await gateway.until(() => lives.every((live) => live.isComplete || live.ended > 0));
  for (const live of lives) live.destroy();
  await gateway.stop();
  await rm(folder, { recursive: true });
  const sum = (of: (live: Live) => number): number => lives.reduce((total, live) => total + of(live), 0);
  return {
    seen: seen.filter((fingerprint, index) => fingerprint !== seen[index - 1]).length,
    sent: sum((live) => live.sent),
    received: sum((live) => live.received),
    disturbed: sum((live) => live.disturbed),
    ended: sum((live) => live.ended),
  };
}

async function makePair(name: string): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], { keyType: 'ec', algorithm: 'sha256' });
  return { cert: made.cert, key: made.private };
}

async function put(folder: string, { cert, key: secret }: { cert: string; key: string }): Promise<void> {
  for (const [name, text] of [
    ['tls.crt', cert],
    ['tls.key', secret],
  ] as const) {
    await writeFile(join(folder, `${name}.new`), text, { mode: 0o600 });
    await rename(join(folder, `${name}.new`), join(folder, name));
  }
}

function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(client.getPeerX509Certificate()?.fingerprint256 ?? '');
      client.destroy();
    });
    client.on('error', reject);
  });
}

/** One publisher, its player, and what came of each picture. */
class Live {
  sent = 0;
  received = 0;
  disturbed = 0;
  ended = 0;
  #clients: readonly RtmpClient[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;

  static async start(gateway: TestGateway, index: number): Promise<Live> {
    const live = new Live();
    const connect = async (scheme: Scheme): Promise<RtmpClient> => {
      const dial = dialer(gateway.url(scheme, ''), { tls: { rejectUnauthorized: false } });
      const stream = await dial(new AbortController().signal);
      const client = await RtmpClient.connect(stream, { app: 'live', tcUrl: gateway.url(scheme, 'live') });
      void client.closed.then(() => live.#isStopping || (live.ended += 1));
      return client;
    };
    const player = await connect(SECURE[index % 2]!);
    const publisher = await connect(SECURE[(index >> 1) % 2]!);
    live.#clients = [player, publisher];
    await player.play(`stream ${index}`, { message: ({ payload }) => live.#hear(payload) });
    const streamId = await publisher.publish(`stream ${index}`);
    publisher.send(messageFromFrame(avcHeader(), streamId));
    live.#timer = setInterval(() => live.#say(publisher, streamId), FRAME_MS);
    return live;
  }

  get isComplete(): boolean {
    return this.received === this.sent;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  destroy(): void {
    this.#isStopping = true;
    for (const client of this.#clients) client.destroy();
  }

  #say(publisher: RtmpClient, streamId: number): void {
    const make = this.sent % 50 === 0 ? key : inter;
    const message = messageFromFrame(make(this.sent * FRAME_MS, 0, 1_000), streamId);
    message.payload.writeUInt32BE(this.sent, SEQUENCE_AT);
    this.sent += 1;
    publisher.send(message);
  }

  #hear(payload: Buffer): void {
    // The decoder configuration is no picture.
    if (payload.length < 1_000) return;
    if (payload.readUInt32BE(SEQUENCE_AT) !== this.received) this.disturbed += 1;
    this.received += 1;
  }
}
