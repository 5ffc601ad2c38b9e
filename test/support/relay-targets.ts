import { expect } from 'vitest';
import { makeClip, type Clip } from './clip.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { NginxRtmp } from './nginx-rtmp.ts';
import type { Packets } from './packets.ts';
import { startTlsFront } from './tls-front.ts';

/** Of clips: `makeSource` asks for a keyframe each second. */
export const KEYFRAME_EVERY = 30;

/** A gateway that pushes `live/*` to nginx-rtmp over rtmps and to another gateway over rtmpt, and something to publish. */
export interface TwoTargets {
  readonly clip: Clip;
  readonly nginx: NginxRtmp;
  readonly target: TestGateway;
  readonly source: TestGateway;
}

/** Whoever is started is given to `kept`, to be stopped when all is over. */
export async function twoTargets(
  seconds: number,
  kept: <T extends { stop(): Promise<unknown> }>(started: T) => T,
  grace = '300ms',
): Promise<TwoTargets> {
  const clip = await makeClip(seconds);
  kept({ stop: () => clip.remove() });
  const nginx = kept(await NginxRtmp.start());
  const front = kept(await startTlsFront(nginx.port));
  const target = kept(await startGateway({ core: { grace } }));
  const to = [`rtmps://127.0.0.1:${front.port}/live/{stream}`, target.url('rtmpt', 'copy/{stream}')];
  // The front answers to no other name, and its certificate is checked.
  const rule = { push: 'live/*', to, ca: front.ca, serverName: 'localhost' };
  const source = kept(await startGateway({ core: { grace }, relay: [rule] }));
  return { clip, nginx, target, source };
}

/** Sizes and hashes of the pictures, whenever they came. */
export function pictures({ video }: Packets): string[] {
  return video.map((row) => row.split(' ').slice(1).join(' '));
}

/** Fails unless `received` is `source` from one of its keyframes on to the end, `lost` packets aside. Returns where it begins. */
export function expectFromKeyframe(received: Packets, source: Packets, lost: number): number {
  const [sent, got] = [pictures(source), pictures(received)];
  const start = sent.indexOf(got[0]!);
  expect([start >= 0, start % KEYFRAME_EVERY]).toEqual([true, 0]);
  expect(got).toEqual(sent.slice(start, start + got.length));
  expect(start + got.length).toBeGreaterThanOrEqual(sent.length - lost);
  return start;
}
