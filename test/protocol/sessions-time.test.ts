import { describe, expect, it } from 'vitest';
import { SessionPair } from '../support/session-pair.ts';
import { media } from '../support/scripted-client.ts';

const DAY_MS = 86_400_000;

/** Edges at which clocks of RTMP have broken before: 4 h 39 min, 24.8 days, 49.7 days. */
const EDGES = [0xff_ffff, 2 ** 31, 2 ** 32];

describe('time', () => {
  it.each(EDGES)('of media passes %i ms on the way through both sessions', (edge) => {
    const pair = new SessionPair().connect();
    const published = pair.publish();
    const played = pair.play();
    const times = Array.from({ length: 40 }, (_, i) => (edge - 200 + 10 * i) % 2 ** 32);
    for (const time of times) {
      // Now and then larger than a chunk: then the extended field is repeated.
      const payload = Buffer.alloc(time % 3 === 0 ? 70_000 : 7, time);
      pair.client.sendMessage(media(9, time, payload, published));
      pair.server.sendMessage(media(9, time, payload, played));
      pair.pump();
    }
    expect(pair.ofServer('media').map(({ message }) => message.timestamp)).toEqual(times);
    const received = pair.ofClient('media').slice(1);
    expect(received.map(({ message }) => message.timestamp)).toEqual(times);
    expect(received.every(({ message }) => message.payload.every((byte) => byte === message.timestamp % 256))).toBe(
      true,
    );
  });

  it.each(EDGES)('of the clock passes %i ms with pings and deadlines', (edge) => {
    const pair = new SessionPair({ start: edge - 60_000.5 }).connect();
    pair.play();
    pair.wait(200_000);
    expect(pair.now).toBe(edge + 139_999.5);
    expect(() => pair.client.publish('key')).not.toThrow();
  });

  it('of fifty days passes, with a frame each way every 25 s', () => {
    const pair = new SessionPair().connect();
    const published = pair.publish();
    const played = pair.play();
    const payload = Buffer.alloc(1000);
    const step = 25_000;
    let frames = 0;
    while (pair.now < 50 * DAY_MS) {
      pair.client.sendMessage(media(8, pair.now % 2 ** 32, payload, published));
      pair.server.sendMessage(media(8, pair.now % 2 ** 32, payload, played));
      pair.wait(step);
      frames++;
      if (frames % 1000 === 0) {
        expect(pair.ofServer('media')).toHaveLength(1000);
        expect(pair.ofClient('media').filter(({ message }) => message.type === 8)).toHaveLength(1000);
        pair.serverEvents.length = pair.clientEvents.length = 0;
      }
    }
    expect(pair.carried.toClient).toBeGreaterThan(150_000_000);
  });
});

describe('acknowledgements', () => {
  it('of a publisher and a player pass 4 GiB on both sides', () => {
    const near = { bytesReceivedBefore: 2 ** 32 - 3_000_000 };
    const pair = new SessionPair({ client: near, server: near }).connect();
    const published = pair.publish();
    const played = pair.play();
    const payload = Buffer.alloc(400_000);
    for (let i = 0; i < 20; i++) {
      pair.client.sendMessage(media(9, i, payload, published));
      pair.server.sendMessage(media(9, i, payload, played));
      pair.pump();
    }
    expect(pair.ofServer('media')).toHaveLength(20);
    expect(pair.ofClient('media')).toHaveLength(21);
  });
});
