import { describe, expect, it } from 'vitest';
import { HLS_DEFAULTS } from '../../../src/delivery/index.ts';
import { HlsStream } from '../../../src/delivery/hls/stream.ts';
import { FairShare, type Subscription } from '../../../src/hub/index.ts';
import { NO_LOG } from '../../../src/log.ts';
import { aacHeader, audio } from '../../support/frames.ts';

/** Stereo at 44.1 kHz: the second byte of its AudioSpecificConfig. */
const STEREO = 0x10;
const PACKETS = 40;

/** A stream whose muxer has its turn only when it is given. */
function stage() {
  const waiting: (() => void)[] = [];
  let failed = false;
  const stream = new HlsStream(HLS_DEFAULTS, {
    memory: new FairShare(1e9),
    log: NO_LOG,
    wallClock: () => 1_700_000_000_000,
    reached: { discontinuities: 0, sequence: 0 },
    turn: () => new Promise<void>((resolve) => void waiting.push(resolve)),
    changed: () => {},
    failed: () => (failed = true),
  });
  stream.attach({ publishing: true, end() {} } as Partial<Subscription> as Subscription);
  let at = 0;
  const publish = (): void => {
    stream.deliver(aacHeader(at, STEREO));
    for (let i = 0; i < PACKETS; i++) stream.deliver(audio((at += 23)));
  };
  /** Lets it mux until it has nothing to do. */
  const settle = async (): Promise<void> => {
    do {
      for (const resolve of waiting.splice(0)) resolve();
      await new Promise(setImmediate);
    } while (waiting.length > 0);
  };
  return { stream, publish, settle, failed: () => failed };
}

describe('a stream that is muxed', () => {
  it.each([
    [1, 0],
    [8, 7],
    // All that come later are taken for the last of these.
    [9, 7],
    [20, 7],
  ])('knows %i publishers that came before it had a turn by %i discontinuities', async (publishers, breaks) => {
    const { stream, publish, settle, failed } = stage();
    publish();
    for (let i = 1; i < publishers; i++) {
      stream.unpublished();
      stream.published();
      publish();
    }
    await settle();
    expect(failed()).toBe(false);
    expect(stream.packager.reached.discontinuities).toBe(breaks);
    expect(stream.bytes).toBeGreaterThan(0);
    await stream.close();
  });
});
