import { describe, expect, it } from 'vitest';
import { FrameRun } from '../../src/endpoint/frame-run.ts';
import { Player, type PlayerConnection } from '../../src/endpoint/player.ts';
import { Pulse } from '../../src/endpoint/pulse.ts';
import { Hub, OUTBOX_DEFAULTS, streamName, type OutboxLimits } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { encodingOf, type Frame } from '../../src/media/index.ts';
import { audio, inter, key } from '../support/frames.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const NAME = streamName('live', 'cam');
const CHUNK_SIZE = 65_536;

/** A connection that notes what is sent, and that can be blocked. */
class Line implements PlayerConnection {
  readonly pieces: Buffer[] = [];
  readonly driver = { blocked: false, flush: () => {} };
  readonly session = {
    outgoingChunkSize: CHUNK_SIZE,
    sendEncoded: (bytes: Buffer) => void this.pieces.push(bytes),
    sendStatus: () => {},
    endStream: () => {},
  };

  get sent(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

function wire(...frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.map((frame) => encodingOf(frame, 1, CHUNK_SIZE)));
}

function stage(outbox: OutboxLimits = OUTBOX_DEFAULTS) {
  const hub = new Hub();
  const nothing = new FrameRun();
  const shared = { hub, nothing, outbox, pulse: new Pulse(() => nothing.forget()) };
  const publication = hub.publish(NAME, { end: () => {} }, 0);
  const join = () => {
    const line = new Line();
    const player = new Player(NAME, 1, line, shared, NO_LOG);
    player.start({ gop: true, durationMs: 0 });
    return { line, player };
  };
  const write = async (...frames: readonly Frame[]) => {
    for (const frame of frames) publication.write(frame, 0);
    await turn();
  };
  return { join, write };
}

describe('A player', () => {
  it('shares one Buffer a turn with all that are due the same frames', async () => {
    const { join, write } = stage();
    const [one, other] = [join(), join()];
    await write(key(0), audio(0), inter(40));
    expect(one.line.pieces).toHaveLength(1);
    expect(one.line.sent).toEqual(wire(key(0), audio(0), inter(40)));
    expect(other.line.pieces[0]).toBe(one.line.pieces[0]);
    await write(inter(80));
    expect(other.line.pieces[1]).toBe(one.line.pieces[1]);
  });

  it('that joins in the middle gets the group of pictures, and then shares with the others', async () => {
    const { join, write } = stage();
    const early = join();
    await write(key(0), inter(40));
    const late = join();
    await write(inter(80));
    expect(late.line.sent).toEqual(wire(key(0), inter(40), inter(80)));
    await write(inter(120));
    expect(late.line.pieces.at(-1)).toBe(early.line.pieces.at(-1));
  });

  it('that is blocked misses nothing as long as its queue has room, and holds up nobody', async () => {
    const { join, write } = stage();
    const [slow, quick] = [join(), join()];
    await write(key(0));
    slow.line.driver.blocked = true;
    await write(inter(40), audio(45));
    await write(inter(80));
    expect(slow.line.sent).toEqual(wire(key(0)));
    expect(quick.line.sent).toEqual(wire(key(0), inter(40), audio(45), inter(80)));
    slow.line.driver.blocked = false;
    slow.player.drained();
    await turn();
    await write(inter(120));
    expect(slow.line.sent).toEqual(wire(key(0), inter(40), audio(45), inter(80), inter(120)));
    expect(slow.line.pieces.at(-1)).toBe(quick.line.pieces.at(-1));
  });

  it('that is blocked for too long goes on at a keyframe', async () => {
    const { join, write } = stage({ ...OUTBOX_DEFAULTS, maxFrames: 3 });
    const { line, player } = join();
    await write(key(0));
    line.driver.blocked = true;
    await write(inter(40), inter(80), inter(120), inter(160));
    await write(inter(200), audio(205));
    line.driver.blocked = false;
    player.drained();
    await turn();
    await write(inter(240), key(280), audio(285), inter(320));
    expect(line.sent).toEqual(wire(key(0), key(280), audio(285), inter(320)));
  });

  it('hands a stalled connection no more than a beat at a time', async () => {
    const { join, write } = stage();
    const { line } = join();
    line.driver.flush = () => (line.driver.blocked = true);
    const frames = [key(0, 0, 300_000), inter(40, 0, 300_000), inter(80, 0, 300_000)];
    await write(...frames);
    await turn();
    expect(line.sent).toEqual(wire(frames[0]!));
  });

  it('that paused gets nothing of what was due, and starts at a keyframe again', async () => {
    const { join, write } = stage();
    const { line, player } = join();
    await write(key(0), inter(40));
    const written = write(inter(80));
    player.pause(true);
    await written;
    await write(inter(120));
    expect(line.sent).toEqual(wire(key(0), inter(40)));
    player.pause(false);
    await turn();
    expect(line.sent).toEqual(wire(key(0), inter(40), key(0), inter(40), inter(80), inter(120)));
  });

  it('that stopped gets nothing more, whatever was due', async () => {
    const { join, write } = stage();
    const { line, player } = join();
    const written = write(key(0));
    player.stop();
    await written;
    expect(line.pieces).toEqual([]);
  });
});
