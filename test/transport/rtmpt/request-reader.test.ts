import { describe, expect, test } from 'vitest';
import { LimitError, ProtocolError } from '../../../src/errors.ts';
import { RequestReader, type RequestSink } from '../../../src/transport/rtmpt/request-reader.ts';
import type { HeadReader } from '../../../src/transport/rtmpt/wire.ts';
import { byteByByte, cuts } from '../../support/feed.ts';
import { formatPost } from '../../support/http-probe.ts';
import { seeded } from '../../support/random.ts';

/** Writes down what it is told. */
class Recorder implements RequestSink {
  readonly requests: string[] = [];
  rest: string | undefined;
  readonly reader: RequestReader;
  #body: Buffer[] = [];
  #target = '';

  constructor(maxHeadBytes = 16 * 1024) {
    this.reader = new RequestReader(this, maxHeadBytes);
  }

  head(head: HeadReader, rest: () => Buffer): void {
    this.#target = head.target;
    if (head.target !== '/stop') return;
    this.rest = rest().toString('latin1');
    this.reader.stop();
  }

  body(bytes: Buffer): void {
    this.#body.push(Buffer.from(bytes));
  }

  complete(): void {
    this.requests.push(`${this.#target} ${Buffer.concat(this.#body.splice(0)).toString('latin1')}`);
  }

  feed(pieces: readonly Buffer[]): this {
    for (const piece of pieces) this.reader.read(piece);
    return this;
  }
}

const STREAM = Buffer.concat([
  formatPost('/send/a/0', 'hello'),
  formatPost('/idle/a/1', ''),
  Buffer.from('\r\n\n\r'),
  formatPost('/send/a/2', 'x'.repeat(300)),
  formatPost('/close/a'),
]);
const REQUESTS = ['/send/a/0 hello', '/idle/a/1 ', `/send/a/2 ${'x'.repeat(300)}`, '/close/a \0'];

describe('requests', () => {
  test('are the same however their bytes are cut', () => {
    expect(new Recorder().feed([STREAM]).requests).toEqual(REQUESTS);
    expect(new Recorder().feed(byteByByte(STREAM)).requests).toEqual(REQUESTS);
    const random = seeded(11);
    for (let round = 0; round < 300; round++)
      expect(new Recorder().feed(cuts(STREAM, random)).requests).toEqual(REQUESTS);
  });

  test('tell where they stand', () => {
    const { reader } = new Recorder();
    const post = formatPost('/send/a/0', 'hello');
    expect([reader.isAmidHead, reader.isAmidBody]).toEqual([false, false]);
    reader.read(post.subarray(0, 10));
    expect([reader.isAmidHead, reader.isAmidBody]).toEqual([true, false]);
    reader.read(post.subarray(10, -1));
    expect([reader.isAmidHead, reader.isAmidBody]).toEqual([false, true]);
    reader.read(post.subarray(-1));
    expect([reader.isAmidHead, reader.isAmidBody]).toEqual([false, false]);
  });

  test('may stop anywhere, and give every byte of the last one back', () => {
    const last = 'GET /stop HTTP/1.1\r\nHost: a\r\n\r\nand more';
    const all = Buffer.concat([STREAM, Buffer.from(last)]);
    expect(new Recorder().feed([all])).toMatchObject({ requests: REQUESTS, rest: last });
    // In pieces: with whatever has been read by then.
    for (let cut = 1; cut < last.length; cut++) {
      const recorder = new Recorder().feed([Buffer.from(last.slice(0, cut)), Buffer.from(last.slice(cut))]);
      const isWhole = cut < last.length - 'and more'.length;
      expect(recorder.rest).toBe(isWhole ? last : last.slice(0, cut));
      expect(recorder.reader.isAmidHead).toBe(false);
    }
  });

  test('a head may have as many bytes as the limit says in pieces, too, and not one more', () => {
    const head = (length: number): Buffer =>
      Buffer.from(`${'POST /a HTTP/1.1\r\nX: '.padEnd(length - 4, 'a')}\r\n\r\n`);
    expect(new Recorder(200).feed(byteByByte(head(200))).requests).toEqual(['/a ']);
    expect(() => new Recorder(200).feed(byteByByte(head(201)))).toThrow(LimitError);
    // Also when no line of it ever ends.
    expect(() => new Recorder(200).feed(byteByByte(Buffer.from('P'.padEnd(201, 'O'))))).toThrow(ProtocolError);
  });

  test('what is kept of an unfinished head is a copy', () => {
    const recorder = new Recorder();
    const post = formatPost('/send/a/0', 'hello');
    const shared = Buffer.alloc(64);
    for (let at = 0; at < post.length; at += shared.length) {
      const length = post.copy(shared, 0, at, at + shared.length);
      recorder.reader.read(shared.subarray(0, length));
    }
    expect(recorder.requests).toEqual(['/send/a/0 hello']);
  });
});
