import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { isMedia } from '../support/habits/dialect.ts';
import { playAsFlash } from '../support/habits/flash.ts';
import type { Gate } from '../support/habits/gate.ts';
import { publishAsHaishinKit } from '../support/habits/haishinkit.ts';
import { publishAsObs, publishAsObsTunnelled } from '../support/habits/obs.ts';
import { digestMedia, makeProgramme } from '../support/habits/programme.ts';
import { playAsRed5Client } from '../support/habits/red5-client.ts';
import { publishAsRootEncoder } from '../support/habits/root-encoder.ts';
import { broadcast, watch } from '../support/habits/stage.ts';

/*
 * Clients of which no copy can run here, as scripts of what they are known to do. Each plays or publishes to the end; at
 * the other end is a plain RTMP client of ours. What arrives must be what was sent.
 */

const PROGRAMME = makeProgramme(200);
const MEDIA = PROGRAMME.filter(isMedia);

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({ core: { grace: '100ms' }, tunnel: { idleTimeout: '2s' } });
});

afterAll(() => gateway?.stop());

/** The head of every answer, whoever asks (RTMPT clients read it literally, and from a small buffer). */
const THE_HEAD = [
  'HTTP/1.1 200 OK',
  'Content-Type: application/x-fcs',
  'Connection: Keep-Alive',
  'Cache-Control: no-store, no-transform',
  'X-Accel-Buffering: no',
  'Content-Length: …',
].join('\r\n');

describe.each([
  { scheme: 'rtmpt', secure: false },
  { scheme: 'rtmpts', secure: true },
] as const)('over $scheme', ({ scheme, secure }) => {
  const gate = (): Gate => ({ secure, port: secure ? gateway.ports.https : gateway.ports.http });

  it('Flash plays to the end on two connections, obeys the polling byte and vanishes; its session is forgotten', async () => {
    const target = { app: 'live', name: `flash-${scheme}` };
    const publisher = await broadcast(gateway, target, PROGRAMME);
    const { messages, pollingBytes, heads } = await playAsFlash(gate(), target, MEDIA.length);
    expect(digestMedia(messages)).toEqual(digestMedia(PROGRAMME));
    expect(new Set(pollingBytes)).toEqual(new Set([1]));
    expect(heads).toEqual([THE_HEAD]);
    await publisher.leave();
    // No /close was sent: only its silence tells.
    await gateway.until(() => gateway.gateway.counts().tunnels === 0);
  });

  it('RootEncoder publishes to the end through a pool of connections that die, each byte once', async () => {
    const target = { app: 'live', name: `root-encoder-${scheme}` };
    const viewer = await watch(gateway, target);
    const { repeated, polls } = await publishAsRootEncoder(gate(), target, PROGRAMME);
    await viewer.received(MEDIA.length);
    expect(digestMedia(viewer.messages)).toEqual(digestMedia(PROGRAMME));
    expect(repeated).toBeGreaterThan(3);
    // Replies ride along or are waited for: it need not spin.
    expect(polls).toBeLessThan(10);
    viewer.leave();
  });

  it('HaishinKit publishes to the end, pipelining', async () => {
    const target = { app: 'live', name: `haishinkit-${scheme}` };
    const viewer = await watch(gateway, target);
    await publishAsHaishinKit(gate(), target, PROGRAMME);
    await viewer.received(MEDIA.length);
    expect(digestMedia(viewer.messages)).toEqual(digestMedia(PROGRAMME));
    viewer.leave();
  });

  it('red5-client plays to the end, counting from 1 and sleeping', async () => {
    const target = { app: 'live', name: `red5-${scheme}` };
    const publisher = await broadcast(gateway, target, PROGRAMME);
    expect(digestMedia(await playAsRed5Client(gate(), target, MEDIA.length))).toEqual(digestMedia(PROGRAMME));
    await publisher.leave();
  });
});

describe('OBS publishes to the end', () => {
  it.each([
    { scheme: 'rtmp', secure: false },
    { scheme: 'rtmps', secure: true },
  ] as const)('over $scheme, reading without understanding', async ({ scheme, secure }) => {
    const target = { app: 'live', name: `obs-${scheme}` };
    const viewer = await watch(gateway, target);
    // More than the 1.25 MB after which the gateway acknowledges: there is something to drain.
    const programme = makeProgramme(2000, 3000);
    const port = secure ? gateway.ports.https : gateway.ports.rtmp;
    const { drained } = await publishAsObs({ port, secure }, target, programme);
    await viewer.received(programme.filter(isMedia).length);
    expect(digestMedia(viewer.messages)).toEqual(digestMedia(programme));
    expect(drained).toBeGreaterThan(0);
    viewer.leave();
  });

  it.each([
    { scheme: 'rtmpt', secure: false },
    { scheme: 'rtmpts', secure: true },
  ] as const)('over $scheme too, at the pace of our pings', async ({ scheme, secure }) => {
    const pinging = await startGateway({
      core: { grace: '100ms' },
      limits: { pingAfter: '100ms', idleTimeout: '20s' },
    });
    const target = { app: 'live', name: `obs-${scheme}` };
    const programme = makeProgramme(12);
    const viewer = await watch(pinging, target);
    const port = secure ? pinging.ports.https : pinging.ports.http;
    await publishAsObsTunnelled({ port, secure }, target, programme);
    await viewer.received(programme.filter(isMedia).length);
    expect(digestMedia(viewer.messages)).toEqual(digestMedia(programme));
    viewer.leave();
    await pinging.stop();
  });
});

it('leaves nothing of any of them behind', async () => {
  await gateway.until(() => {
    const { sockets, tunnels, rtmpConnections } = gateway.gateway.counts();
    return sockets === 0 && tunnels === 0 && rtmpConnections === 0;
  });
});
