import { describe, expect, it } from 'vitest';
import type { Scheme } from '../../src/transport/index.ts';
import type { TestGateway } from '../support/gateway.ts';
import { isMedia } from '../support/habits/dialect.ts';
import { digestMedia, makeProgramme } from '../support/habits/programme.ts';
import { broadcast, watch } from '../support/habits/stage.ts';

const SCHEMES: readonly Scheme[] = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts'];

/** Our own client publishes over each transport and plays over each: what is played is what was published. */
export function describePublishPlay(name: string, gateway: () => TestGateway): void {
  describe(`${name}: publish over one transport, play over another`, () => {
    describe.each(SCHEMES)('published over %s', (publisher) => {
      it.each(SCHEMES)('it plays over %s', async (player) => {
        const target = { app: 'pairs', name: `${publisher}-${player}` };
        const programme = makeProgramme(300);
        const viewer = await watch(gateway(), target, player);
        const publishing = await broadcast(gateway(), target, programme, publisher);
        await viewer.received(programme.filter(isMedia).length);
        expect(digestMedia(viewer.messages)).toEqual(digestMedia(programme));
        await publishing.leave();
        viewer.leave();
      });
    });
  });
}
