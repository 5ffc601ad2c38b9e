import { describe, expect, it } from 'vitest';
import { makeClip, type Clip } from '../support/clip.ts';
import { FarServer } from '../support/far-server.ts';
import { startGateway } from '../support/gateway.ts';
import { keeping } from '../support/kept.ts';
import { passwordHabits, SERVER_PASSWORD, SERVER_USER, type PasswordMode } from '../support/password-server.ts';
import { has, missing, run } from '../support/programs.ts';

const { kept, later } = keeping();

const MODES: readonly PasswordMode[] = ['adobe', 'adobe with opaque', 'llnw'];
const USERINFO = `${SERVER_USER}:${encodeURIComponent(SERVER_PASSWORD)}`;

describe.skipIf(!has('ffmpeg'))(
  `A server that asks for a password in a publisher's connect${missing('ffmpeg')}`,
  () => {
    const clip = async (): Promise<Clip> => {
      const made = await makeClip(2);
      later(() => made.remove());
      return made;
    };

    it.each(MODES)('takes FFmpeg and a push of ours for the same: %s', async (mode) => {
      const { file, publish } = await clip();
      const [theirs, ours] = [kept(new FarServer(passwordHabits(mode))), kept(new FarServer(passwordHabits(mode)))];
      // FFmpeg decodes nothing in a URL.
      const url = `rtmp://${SERVER_USER}:${SERVER_PASSWORD}@127.0.0.1:${await theirs.listen()}/live/show`;
      const { code, stderr } = await run('ffmpeg', ['-v', 'error', '-i', file, '-c', 'copy', '-f', 'flv', url])
        .finished;
      expect(code, stderr).toBe(0);
      const to = `rtmp://${USERINFO}@127.0.0.1:${await ours.listen()}/live/show`;
      const source = kept(await startGateway({ relay: [{ push: 'live/*', to }] }));
      await publish(source.url('rtmp', 'live/any'));
      const [by, of] = [theirs, ours].map(({ visits }) => visits.map(({ app }) => shapeOf(app)));
      expect(of).toEqual(by);
      expect([by?.length, ours.visits.at(-1)!.publishing]).toEqual([3, 'show']);
      await source.until(() => ours.visits.at(-1)!.frames.length === theirs.visits.at(-1)!.frames.length);
    });
  },
);

/** What a connect says, without what is random in it. */
function shapeOf(app: string): string {
  return app.replace(/(challenge|cnonce|response)=[^&]*/g, '$1=…');
}
