import { describe, expect, it } from 'vitest';
import { LimitError, ProtocolError } from '../../../src/errors.ts';
import { AnswerReader } from '../../../src/transport/rtmpt/answers.ts';
import type { Answer } from '../../../src/transport/rtmpt/answers.ts';
import { byteByByte, cuts } from '../../support/feed.ts';
import { seeded } from '../../support/random.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function readAll(pieces: readonly Buffer[], reader = new AnswerReader()): Answer[] {
  return pieces.flatMap((piece) => reader.read(piece));
}

/** Forms of an answer that servers and proxies give; each with what it says. */
const FORMS: { name: string; wire: string; status: number; contentType: string; keepAlive: boolean; body: string }[] = [
  {
    name: 'the answer of our own server',
    wire: 'HTTP/1.1 200 OK\r\nContent-Type: application/x-fcs\r\nConnection: Keep-Alive\r\nContent-Length: 4\r\n\r\n\x01abc',
    status: 200,
    contentType: 'application/x-fcs',
    keepAlive: true,
    body: '\x01abc',
  },
  {
    name: 'odd case, no spaces, a parameter of the type and a repeated length',
    wire: 'HTTP/1.1 200 OK\r\ncontent-type:Application/X-FCS; a=b\r\nCONTENT-LENGTH:2\r\nContent-Length: 2\r\n\r\n\x01a',
    status: 200,
    contentType: 'application/x-fcs',
    keepAlive: true,
    body: '\x01a',
  },
  {
    name: 'a closing answer',
    wire: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\x01',
    status: 200,
    contentType: '',
    keepAlive: false,
    body: '\x01',
  },
  {
    name: 'HTTP/1.0, which closes unless it says otherwise',
    wire: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n\x01',
    status: 200,
    contentType: '',
    keepAlive: false,
    body: '\x01',
  },
  {
    name: 'HTTP/1.0 that stays',
    wire: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n\x01',
    status: 200,
    contentType: '',
    keepAlive: true,
    body: '\x01',
  },
  {
    name: 'chunks with an extension and a trailer',
    wire: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\x01\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
    status: 200,
    contentType: '',
    keepAlive: true,
    body: '\x01abc',
  },
  {
    name: 'a 100 before the answer',
    wire: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\x01',
    status: 200,
    contentType: '',
    keepAlive: true,
    body: '\x01',
  },
  {
    name: 'bare line feeds and no reason',
    wire: 'HTTP/1.1 404\nContent-Length: 0\n\n',
    status: 404,
    contentType: '',
    keepAlive: true,
    body: '',
  },
  {
    name: '204, which has no body whatever it says',
    wire: 'HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n',
    status: 204,
    contentType: '',
    keepAlive: true,
    body: '',
  },
];

describe.each(FORMS)('$name', ({ name: _name, wire, body, ...expected }) => {
  const whole = bytes(wire);

  it('is read at once', () => {
    const [answer, ...more] = readAll([whole]);
    expect(answer).toMatchObject({ ...expected, body: bytes(body) });
    expect(more).toEqual([]);
  });

  it('is read byte by byte', () => {
    expect(readAll(byteByByte(whole))).toMatchObject([{ ...expected, body: bytes(body) }]);
  });

  it('is read at random cuts, twice in a row and the next one begun', () => {
    const random = seeded(7);
    for (let round = 0; round < 50; round++) {
      const reader = new AnswerReader();
      const answers = readAll(cuts(Buffer.concat([whole, whole, bytes('HTTP')]), random), reader);
      expect(answers).toMatchObject([
        { ...expected, body: bytes(body) },
        { ...expected, body: bytes(body) },
      ]);
      expect(reader.started).toBe(true);
    }
  });
});

describe('an answer without a length', () => {
  const wire = bytes('HTTP/1.1 200 OK\r\n\r\n\x01abc');

  it('is whole when its connection ends', () => {
    const reader = new AnswerReader();
    expect(readAll(byteByByte(wire), reader)).toEqual([]);
    expect(reader.end()).toMatchObject({ status: 200, keepAlive: false, body: bytes('\x01abc') });
  });

  it('is the only kind that an ending connection completes', () => {
    const reader = new AnswerReader();
    reader.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x01abc'));
    expect(reader.end()).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['HTTP/2 spoken as text', 'HTTP/2 200\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['a header line without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk without its end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
  ])('%s', (_name, wire) => {
    expect(() => readAll([bytes(wire)])).toThrow(ProtocolError);
    expect(() => readAll(byteByByte(bytes(wire)))).toThrow(ProtocolError);
  });

  it('passes or throws ProtocolError on any bytes', () => {
    const random = seeded(11);
    const valid = bytes(FORMS[5]!.wire);
    for (let round = 0; round < 2000; round++) {
      const wire = Buffer.from(valid);
      for (let change = 0; change <= random.int(3); change++) wire[random.int(wire.length)] = random.int(256);
      try {
        readAll(cuts(wire, random));
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });

  it('keeps only printable words of the reason', () => {
    const [answer] = readAll([bytes(`HTTP/1.1 500 \x1b[31m${'x'.repeat(200)}\r\nContent-Length: 0\r\n\r\n`)]);
    expect(answer?.reason).toMatch(/^\?\[31mx+$/);
    expect(answer?.reason).toHaveLength(80);
  });
});

describe('limits', () => {
  const limits = { maxHeadBytes: 100, maxBodyBytes: 10 };
  const head = (size: number): Buffer => bytes(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(size - 20)}\r\n\r\n`);

  it('takes a head at the limit and no longer one, ended or not', () => {
    expect(() => readAll([head(100)], new AnswerReader(limits))).not.toThrow();
    expect(() => readAll([head(101)], new AnswerReader(limits))).toThrow(LimitError);
    expect(() => readAll(byteByByte(bytes('x'.repeat(101))), new AnswerReader(limits))).toThrow(LimitError);
  });

  it.each([
    ['by length', (size: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`],
    [
      'in chunks',
      (size: number) =>
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n${(size - 5).toString(16)}\r\n${'x'.repeat(size - 5)}\r\n0\r\n\r\n`,
    ],
    ['to the end', (size: number) => `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(size)}`],
  ])('takes a body %s at the limit and no longer one', (_name, wire) => {
    expect(() => readAll([bytes(wire(10))], new AnswerReader(limits))).not.toThrow();
    expect(() => readAll([bytes(wire(11))], new AnswerReader(limits))).toThrow(LimitError);
  });

  it('refuses a chunk-size line that does not end', () => {
    const reader = new AnswerReader();
    reader.read(bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
    expect(() => reader.read(bytes(`1;${'x'.repeat(300)}`))).toThrow(ProtocolError);
  });
});
