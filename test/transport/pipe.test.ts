import { once } from 'node:events';
import type net from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_LOG } from '../../src/log.ts';
import { Bridge, dialer } from '../../src/transport/index.ts';
import { Pipe } from '../../src/transport/pipe.ts';
import { keep, release } from '../../src/transport/slab.ts';
import { listenTcp } from '../support/bridge-rig.ts';
import { openDirectWay } from '../support/door-way.ts';
import { seeded } from '../support/random.ts';
import { takeBytes } from '../support/streams.ts';

type Done = (fault?: Error | null) => void;

/** Says nothing by itself, and is done with what it is given when the test says so, even after its end. */
class Far extends Duplex {
  readonly owed: { readonly bytes: Buffer; readonly done: Done }[] = [];

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.owed.push({ bytes, done });
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    for (const { chunk: bytes } of chunks) this.owed.push({ bytes, done });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether one of the next to read that much gets the same memory. */
function isBack(piece: Buffer): boolean {
  const next = Array.from({ length: 8 }, () => keep(piece));
  next.forEach(release);
  return next.some(({ buffer }) => buffer === piece.buffer);
}

function piped({ mayHurry }: { mayHurry: boolean }) {
  const [from, to] = [new Far(), new Far()];
  to.on('error', () => {});
  const marked: Pipe[] = [];
  const gathering = { mark: (pipe: Pipe) => void marked.push(pipe) };
  const pipe = new Pipe(from, to, { gathering, mayHurry: () => mayHurry });
  /** One read of 5,000 bytes. */
  const say = async (mark: number): Promise<Buffer> => {
    const piece = keep(Buffer.alloc(5_000, mark));
    from.push(piece);
    await turn();
    return piece;
  };
  const flush = (): void => marked.splice(0).forEach((one) => one.flush());
  return { from, to, pipe, say, flush };
}

describe.each([{ mayHurry: true }, { mayHurry: false }])('what a pipe has read ($mayHurry)', (options) => {
  it('is used again when it has been written, and not while it waits', async () => {
    const { to, say, flush } = piped(options);
    const piece = await say(1);
    expect(isBack(piece)).toBe(false);
    flush();
    await turn();
    expect(isBack(piece)).toBe(false);
    expect(to.owed[0]!.bytes.equals(Buffer.alloc(5_000, 1))).toBe(true);
    to.owed[0]!.done();
    await turn();
    expect(isBack(piece)).toBe(true);
  });

  it('is not used again while it waits behind something else', async () => {
    const { to, say, flush } = piped(options);
    const first = await say(1);
    flush();
    const second = await say(2);
    flush();
    to.owed[0]!.done();
    await turn();
    expect(isBack(first)).toBe(true);
    expect(isBack(second)).toBe(false);
    expect(to.owed[1]!.bytes.equals(Buffer.alloc(5_000, 2))).toBe(true);
    to.owed[1]!.done();
    await turn();
    expect(isBack(second)).toBe(true);
  });

  it('is never used again when writing it failed', async () => {
    const { to, say, flush } = piped(options);
    const piece = await say(1);
    flush();
    const waiting = await say(2);
    flush();
    to.owed[0]!.done(new Error('reset'));
    await turn();
    expect(to.destroyed).toBe(true);
    expect(isBack(piece)).toBe(false);
    expect(isBack(waiting)).toBe(false);
  });

  it('is never used again when its reader was destroyed, although that may call it written', async () => {
    const { to, say, flush } = piped(options);
    const piece = await say(1);
    flush();
    const waiting = await say(2);
    flush();
    to.destroy();
    await turn();
    to.owed[0]!.done();
    await turn();
    expect(isBack(piece)).toBe(false);
    expect(isBack(waiting)).toBe(false);
  });

  it('is used again at once when there is nobody left to write it to', async () => {
    const { to, say } = piped(options);
    to.destroy();
    expect(isBack(await say(1))).toBe(true);
  });
});

describe.each(['rtmp', 'rtmps'] as const)('sessions over %s that are read through the same memory', (scheme) => {
  const LENGTH = 16 * 1024 * 1024;
  const GREETING = Buffer.alloc(1537, 3);
  /** Servers of these marks reset the connection on the way. */
  const RESET = 100;
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /**
   * All that a server says is its client's mark, again and again: every other time little at once, so that several pieces
   * wait behind one that the client does not take.
   */
  async function serve(socket: net.Socket): Promise<void> {
    const mark = (await takeBytes(socket, GREETING.length + 1)).at(-1)!;
    const random = seeded(mark);
    const total = mark < RESET ? LENGTH : random.int(LENGTH / 16);
    const most = mark % 4 < 2 ? 8_000 : 90_000;
    for (let written = 0; written < total; await turn()) {
      const length = Math.min(1 + random.int(most), total - written);
      written += length;
      if (!socket.write(Buffer.alloc(length, mark))) await once(socket, 'drain');
    }
    if (mark < RESET) socket.end();
    else socket.resetAndDestroy();
  }

  /** Opens the session of a mark, through a bridge between the door and the servers. */
  async function bridged(): Promise<(mark: number) => Promise<Duplex>> {
    const upstream = await listenTcp();
    // Fails where a client broke off; where none should have, the client tells.
    upstream.onConnection((socket) => void serve(socket).catch(() => {}));
    const dial = dialer(`rtmp://127.0.0.1:${upstream.port}`);
    const bridge = new Bridge({ dial, whenDown: (stream) => void stream.destroy(), log: NO_LOG });
    const way = await openDirectWay(scheme, bridge.handle);
    closing.push(way.close, upstream.close);
    return async (mark) => {
      const client = await way.dial(new AbortController().signal);
      client.on('error', () => {});
      client.write(Buffer.concat([GREETING, Buffer.of(mark)]));
      return client;
    };
  }

  /** How much a client was told, and whether all of it was meant for it. One that has heard enough is destroyed. */
  async function hear(client: Duplex, mark: number, enough = Infinity): Promise<[length: number, isClean: boolean]> {
    let length = 0;
    let isClean = true;
    try {
      for await (const piece of client as AsyncIterable<Buffer>) {
        length += piece.length;
        isClean &&= piece.equals(Buffer.alloc(piece.length, mark));
        if (length >= enough) break;
      }
    } catch (fault) {
      if (mark < RESET) throw fault;
    }
    return [length, isClean];
  }

  it('hear nothing of each other, though some read late and others are destroyed or reset on the way', async () => {
    const open = await bridged();
    let begin = (): void => {};
    const others = new Promise<void>((resolve) => (begin = resolve));
    // Every other one begins late: what is read for it waits in the gateway while the others are served.
    const play = async (mark: number): Promise<[number, boolean]> => {
      const client = await open(mark);
      if (mark % 2 === 1) await others;
      return hear(client, mark);
    };
    /** One after the other, each with bytes on their way to it when it ends. */
    const breakOff = async (first: number): Promise<boolean> => {
      let isClean = true;
      for (let mark = first; mark < first + 25; mark++)
        isClean &&= (await hear(await open(mark), mark, LENGTH / 16))[1];
      return isClean;
    };
    const late = [1, 3, 5, 7].map(play);
    const early = [2, 4, 6, 8].map(play);
    expect(await Promise.all([breakOff(10), breakOff(RESET)])).toEqual([true, true]);
    expect(await Promise.all(early)).toEqual(Array(4).fill([LENGTH, true]));
    begin();
    expect(await Promise.all(late)).toEqual(Array(4).fill([LENGTH, true]));
  });
});
