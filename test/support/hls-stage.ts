import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Hls, type HlsOptions } from '../../src/delivery/index.ts';
import { Hub, streamName, type Publication } from '../../src/hub/index.ts';
import { NO_LOG, type Log } from '../../src/log.ts';
import type { Frame } from '../../src/media/index.ts';

/** A hub with HLS and nothing else, served over HTTP; time passes when it is told to. */
export interface HlsStage {
  readonly hub: Hub;
  readonly hls: Hls;
  /** `http://127.0.0.1:PORT/hls` */
  readonly url: string;
  publish(key: string): Publication;
  /** Writes frames at the times they carry. */
  send(to: Publication, frames: readonly Frame[]): void;
  pass(ms: number): void;
  stop(): Promise<void>;
}

/** What the wall clock said at the stage's time 0, milliseconds since 1970. */
export const WALL_CLOCK = 1_700_000_000_000;

export async function hlsStage(options: Partial<HlsOptions> = {}, log: Log = NO_LOG): Promise<HlsStage> {
  let time = 1_000_000;
  const hub = new Hub({ republish: 'takeover' });
  const wallClock = (): number => WALL_CLOCK + time;
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const hls = new Hls(options, { hub, log, now: () => time, wallClock, turn });
  const server = createServer(express().use('/hls', hls.router));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    hub,
    hls,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hls`,
    publish: (key) => hub.publish(streamName('live', key), { end() {} }, time),
    send: (to, frames) => {
      for (const frame of frames) to.write(frame, time);
    },
    pass(ms) {
      time += ms;
      hub.tick(time);
      hls.tick();
    },
    async stop() {
      await hls.stop();
      hub.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
