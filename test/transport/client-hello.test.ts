import { beforeAll, describe, expect, it } from 'vitest';
import { LimitError, ProtocolError } from '../../src/errors.ts';
import { CLIENT_HELLO_LIMITS, readClientHello, type ClientHello } from '../../src/transport/client-hello.ts';
import { recordClientHello, recut } from '../support/client-hello.ts';
import { fixture, hex } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';

let hello: Buffer;
const expected: ClientHello = {
  serverName: 'live.example.com',
  version: 'TLS 1.3',
  onlyTls13: false,
  alpn: ['http/1.1', 'x'],
};

beforeAll(async () => {
  hello = await recordClientHello({ servername: 'live.example.com', ALPNProtocols: ['http/1.1', 'x'] });
});

/** Feeds as a door does: looks again only when there are as many bytes as were asked for. */
function feed(bytes: Buffer): { answer: ClientHello; looks: number; used: number } {
  let looks = 0;
  for (let length = 1; length <= bytes.length;) {
    const answer = readClientHello(bytes.subarray(0, length));
    looks += 1;
    if (!('need' in answer)) return { answer, looks, used: length };
    expect(answer.need).toBeGreaterThan(length);
    length = answer.need;
  }
  throw new Error('asked for more bytes than there are');
}

describe('reading a ClientHello', () => {
  it('reads name, version and application protocols', () => {
    expect(readClientHello(hello)).toEqual(expected);
  });

  it.each([
    ['ffmpeg', { serverName: 'localhost', version: 'TLS 1.3', onlyTls13: false, alpn: [] }],
    // The client for whose sake a missing name caps the version.
    ['rtmpdump', { serverName: undefined, version: 'TLS 1.3', onlyTls13: false, alpn: [] }],
    ['node', { serverName: 'live.example.com', version: 'TLS 1.3', onlyTls13: false, alpn: ['http/1.1'] }],
    ['old', { serverName: undefined, version: 'TLS 1.0', onlyTls13: false, alpn: [] }],
  ])('reads the hello of %s', (client, answer) => {
    const bytes = fixture(`client-hello-${client}`);
    expect(feed(bytes)).toMatchObject({ answer, used: bytes.length });
  });

  it('asks for exactly the bytes it takes, whatever follows', () => {
    expect(feed(hello)).toEqual({ answer: expected, looks: 4, used: hello.length });
    expect(readClientHello(Buffer.concat([hello, Buffer.alloc(100, 0x17)]))).toEqual(expected);
    for (let length = 0; length < hello.length; length += 1) {
      expect(readClientHello(hello.subarray(0, length))).toHaveProperty('need');
    }
  });

  it('joins a hello from several records', () => {
    for (const size of [3, 5, 7, 100]) {
      if (hello.length / size < CLIENT_HELLO_LIMITS.maxRecords)
        expect(feed(recut(hello, size)).answer).toEqual(expected);
    }
    expect(feed(recut(hello, Math.ceil((hello.length - 5) / CLIENT_HELLO_LIMITS.maxRecords))).answer).toEqual(expected);
  });

  it('knows that a client names no server', async () => {
    const bytes = await recordClientHello({});
    expect(readClientHello(bytes)).toEqual({ serverName: undefined, version: 'TLS 1.3', onlyTls13: false, alpn: [] });
  });

  it('tells the highest version that is offered', async () => {
    const bytes = await recordClientHello({ maxVersion: 'TLSv1.2', servername: 'a' });
    expect(readClientHello(bytes)).toMatchObject({ version: 'TLS 1.2' });
  });

  it('knows a client that can speak nothing below TLS 1.3', async () => {
    const bytes = await recordClientHello({ minVersion: 'TLSv1.3' });
    expect(readClientHello(bytes)).toMatchObject({ version: 'TLS 1.3', onlyTls13: true });
  });

  it('reads a hello without extensions, as old clients send it', () => {
    const body = `0301 ${'00'.repeat(32)} 00 0002 002f 01 00`;
    const bytes = hex(`16 0301 002d 01 000029 ${body}`);
    expect(readClientHello(bytes)).toEqual({ serverName: undefined, version: 'TLS 1.0', onlyTls13: false, alpn: [] });
  });

  it('shows no character of a name that could harm a log', () => {
    const bytes = Buffer.from(hello.toString('latin1').replace('live.example.com', 'live\r\n"example.x'), 'latin1');
    expect(readClientHello(bytes)).toMatchObject({ serverName: 'live???example.x' });
  });

  it.each([
    ['an alert record', '15 0301 0002'],
    ['a record of no length', '16 0301 0000'],
    ['a record that is too long', '16 0301 4001'],
    ['a ServerHello', '16 0301 0040 02'],
    ['major version 2', '16 0201 0040'],
    ['a session id that reaches beyond the end', `16 0301 0027 01 000023 0303 ${'00'.repeat(32)} 20`],
    ['a hello that ends within its random', '16 0301 0006 01 000002 0303'],
    ['extensions that reach beyond the end', `16 0301 002f 01 00002b 0303 ${'00'.repeat(32)} 00 0002 002f 01 00 0001`],
  ])('refuses %s', (_what, text) => {
    expect(() => readClientHello(hex(text))).toThrow(ProtocolError);
  });

  it('takes as many records and bytes as its limits say and not one more', () => {
    const { maxBytes, maxRecords } = CLIENT_HELLO_LIMITS;
    expect(readClientHello(header(maxBytes - 4))).toHaveProperty('need');
    expect(() => readClientHello(header(maxBytes - 3))).toThrow(LimitError);
    const record = Buffer.from([0x16, 3, 1, 0, 4, 0, 0, 0, 0]);
    const records = (count: number) =>
      Buffer.concat([header(1000, 4), ...Array.from({ length: count - 1 }, () => record)]);
    expect(readClientHello(records(maxRecords - 1))).toHaveProperty('need');
    expect(() => readClientHello(records(maxRecords))).toThrow(LimitError);
  });

  it('answers any change of any byte with an answer or a ProtocolError', () => {
    const random = seeded(39);
    for (let i = 0; i < 5_000; i += 1) {
      const bytes = Buffer.from(hello);
      for (let n = random.int(4); n >= 0; n -= 1) bytes[random.int(bytes.length)] = random.int(256);
      try {
        readClientHello(bytes.subarray(0, random.int(bytes.length + 1)));
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });
});

/** The start of a handshake message of `length` bytes, in a first record of `first` bytes. */
function header(length: number, first = 16_384): Buffer {
  const bytes = hex('16 0301 0000 01 000000');
  bytes.writeUInt16BE(first, 3);
  bytes.writeUIntBE(length, 6, 3);
  return bytes;
}
