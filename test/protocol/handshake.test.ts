import { describe, expect, it } from 'vitest';
import { ProtocolError, UsageError } from '../../src/errors.ts';
import { PLAYER_KEY, SERVER_KEY, findDigest, signedReply, writeDigest } from '../../src/protocol/digest.ts';
import type { DigestLayout } from '../../src/protocol/digest.ts';
import { Handshake } from '../../src/protocol/handshake.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { fixture } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';

const random = (bytes: number): Buffer => seeded(bytes).bytes(bytes);
const server = (): Handshake => new Handshake('server', { random });
const client = (signed = false): Handshake => new Handshake('client', { random, signed });
const output = (handshake: Handshake): Buffer => Buffer.concat(handshake.takeOutput());

/** A C0 and C1 in the simple form: time 1, zero, fill. */
const SIMPLE_HELLO = Buffer.concat([Buffer.from([3, 0, 0, 0, 1, 0, 0, 0, 0]), seeded(7).bytes(1528)]);

function signedHello(layout: DigestLayout): Buffer {
  const c1 = Buffer.concat([Buffer.from([0, 0, 0, 0, 9, 0, 124, 2]), seeded(layout).bytes(1528)]);
  writeDigest(c1, layout, PLAYER_KEY.short);
  return Buffer.concat([Buffer.from([3]), c1]);
}

/** Feeds pieces; what is left over of the piece that ended the handshake, joined with the pieces after it. */
function feed(handshake: Handshake, pieces: readonly Buffer[]): Buffer | undefined {
  for (const [i, piece] of pieces.entries()) {
    const rest = handshake.receive(piece, 0);
    if (rest !== undefined) return Buffer.concat([rest, ...pieces.slice(i + 1)]);
  }
  return undefined;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a serving handshake, simple form', () => {
  it('answers the 1537th byte with S0, S1 and S2 in one Buffer', () => {
    const handshake = server();
    expect(handshake.receive(SIMPLE_HELLO.subarray(0, 1536), 5)).toBeUndefined();
    expect(handshake.takeOutput()).toEqual([]);
    expect(handshake.receive(SIMPLE_HELLO.subarray(1536), 0x1_0000_0005)).toBeUndefined();
    const answers = handshake.takeOutput();
    expect(answers.map((bytes) => bytes.length)).toEqual([3073]);
    // Version 3, time 5 (modulo 2^32), and the zeros that keep FFmpeg from looking for a digest.
    expect(answers[0]!.subarray(0, 9).toString('hex')).toBe('030000000500000000');
    expect(handshake.takeOutput()).toEqual([]);
  });

  it('echoes C1 exactly as S2', () => {
    const handshake = server();
    handshake.receive(SIMPLE_HELLO, 0);
    expect(output(handshake).subarray(1537)).toEqual(SIMPLE_HELLO.subarray(1));
  });

  it('takes any C2 and hands over what is glued to it', () => {
    const handshake = server();
    const rest = feed(handshake, [Buffer.concat([SIMPLE_HELLO, Buffer.alloc(1536, 0xee), Buffer.from('connect')])]);
    expect(rest).toEqual(Buffer.from('connect'));
  });

  it('is over with the last byte of C2, with nothing left over', () => {
    const handshake = server();
    handshake.receive(SIMPLE_HELLO, 0);
    expect(handshake.receive(Buffer.alloc(1535), 0)).toBeUndefined();
    expect(handshake.receive(Buffer.alloc(1), 0)).toEqual(Buffer.alloc(0));
    expect(() => handshake.receive(Buffer.alloc(1), 0)).toThrow(UsageError);
  });

  it('comes to the same at any cut', () => {
    const bytes = Buffer.concat([SIMPLE_HELLO, seeded(9).bytes(1536), Buffer.from('rest')]);
    const feeds = [byteByByte(bytes)];
    for (let seed = 0; seed < 50; seed++) feeds.push(cuts(bytes, seeded(seed)));
    const whole = server();
    feed(whole, [bytes]);
    const answer = output(whole);
    for (const pieces of feeds) {
      const handshake = server();
      expect(feed(handshake, pieces)).toEqual(Buffer.from('rest'));
      expect(output(handshake)).toEqual(answer);
    }
  });

  it('serves rtmpdump 2.4 and hands over its connect', () => {
    const bytes = fixture('rtmpdump-play-connect');
    const handshake = server();
    expect(feed(handshake, [bytes])).toEqual(bytes.subarray(3073));
    expect(output(handshake).subarray(5, 9)).toEqual(Buffer.alloc(4));
  });

  it('does not keep the bytes it was given', () => {
    const handshake = server();
    const bytes = Buffer.from(SIMPLE_HELLO.subarray(0, 1000));
    handshake.receive(bytes, 0);
    bytes.fill(0);
    handshake.receive(SIMPLE_HELLO.subarray(1000), 0);
    expect(output(handshake).subarray(1537)).toEqual(SIMPLE_HELLO.subarray(1));
  });
});

describe('a serving handshake, signed form', () => {
  it.each([8, 772] as const)('answers a digest in layout %i in the same layout, signed', (layout) => {
    const hello = signedHello(layout);
    const handshake = server();
    handshake.receive(hello, 0);
    const answer = output(handshake);
    expect(answer.length).toBe(3073);
    expect(answer.readUInt32BE(5)).not.toBe(0);
    expect(findDigest(answer.subarray(1, 1537), SERVER_KEY.short)?.layout).toBe(layout);
    const digest = findDigest(hello.subarray(1), PLAYER_KEY.short)!.digest;
    const s2 = answer.subarray(1537);
    expect(s2).toEqual(signedReply(s2.subarray(0, 1504), digest, SERVER_KEY.full));
  });

  it('signs for FFmpeg 5.1 and hands over its connect', () => {
    const bytes = fixture('ffmpeg-publish-connect');
    const handshake = server();
    expect(feed(handshake, [bytes])).toEqual(bytes.subarray(3073));
    expect(findDigest(output(handshake).subarray(1, 1537), SERVER_KEY.short)?.layout).toBe(8);
  });

  it('falls back to the simple form when a claimed version brings no valid digest', () => {
    const hello = signedHello(8);
    hello[1000]! ^= 1;
    const handshake = server();
    handshake.receive(hello, 0);
    const answer = output(handshake);
    expect(answer.readUInt32BE(5)).toBe(0);
    expect(answer.subarray(1537)).toEqual(hello.subarray(1));
  });

  it('does not look for a digest when no version is claimed', () => {
    const c1 = Buffer.concat([Buffer.alloc(8), seeded(3).bytes(1528)]);
    writeDigest(c1, 8, PLAYER_KEY.short);
    const handshake = server();
    handshake.receive(Buffer.concat([Buffer.from([3]), c1]), 0);
    expect(output(handshake).subarray(1537)).toEqual(c1);
  });
});

describe('an asking handshake', () => {
  it('speaks first: version 3, zero time, zero version, fill', () => {
    const hello = output(client());
    expect(hello.length).toBe(1537);
    expect(hello.subarray(0, 9).toString('hex')).toBe('030000000000000000');
  });

  it('echoes S1 as C2 as soon as S1 is in', () => {
    const handshake = client();
    output(handshake);
    expect(handshake.receive(SIMPLE_HELLO, 0)).toBeUndefined();
    expect(output(handshake)).toEqual(SIMPLE_HELLO.subarray(1));
  });

  it('takes a junk S2 and hands over what follows', () => {
    const rest = feed(client(), [SIMPLE_HELLO, Buffer.concat([Buffer.alloc(1536, 7), Buffer.from('x')])]);
    expect(rest).toEqual(Buffer.from('x'));
  });

  it('signs C1, and C2 with the digest of a signed S1', () => {
    const handshake = client(true);
    const hello = output(handshake);
    expect(findDigest(hello.subarray(1), PLAYER_KEY.short)?.layout).toBe(8);
    const s1 = Buffer.concat([Buffer.from([0, 0, 0, 0, 3, 5, 1, 1]), seeded(11).bytes(1528)]);
    const digest = writeDigest(s1, 772, SERVER_KEY.short);
    handshake.receive(Buffer.concat([Buffer.from([3]), s1]), 0);
    const c2 = output(handshake);
    expect(c2).toEqual(signedReply(c2.subarray(0, 1504), digest, PLAYER_KEY.full));
  });

  it('echoes a signed S1 when it did not ask for signatures', () => {
    const s1 = Buffer.concat([Buffer.from([0, 0, 0, 0, 3, 5, 1, 1]), seeded(13).bytes(1528)]);
    writeDigest(s1, 8, SERVER_KEY.short);
    const handshake = client();
    output(handshake);
    handshake.receive(Buffer.concat([Buffer.from([3]), s1]), 0);
    expect(output(handshake)).toEqual(s1);
  });

  it('echoes an S1 that is not signed, though it asked for signatures', () => {
    for (const version of [0, 9]) {
      const s1 = Buffer.concat([Buffer.from([0, 0, 0, 0, version, 0, 0, 0]), seeded(12).bytes(1528)]);
      const handshake = client(true);
      output(handshake);
      handshake.receive(Buffer.concat([Buffer.from([3]), s1]), 0);
      expect(output(handshake)).toEqual(s1);
    }
  });

  it.each([false, true])('shakes hands with a serving one byte by byte (signed: %s)', (signed) => {
    const asking = client(signed);
    const serving = server();
    const toServer = byteByByte(output(asking));
    expect(feed(serving, toServer)).toBeUndefined();
    expect(feed(asking, byteByByte(output(serving)))).toEqual(Buffer.alloc(0));
    expect(feed(serving, byteByByte(output(asking)))).toEqual(Buffer.alloc(0));
  });
});

describe('other versions', () => {
  it.each([6, 8, 9])('refuses RTMPE version %i at the first byte with a code of its own', (version) => {
    expect(codeOf(() => server().receive(Buffer.from([version]), 0))).toBe('HANDSHAKE_RTMPE');
    expect(codeOf(() => client().receive(Buffer.from([version]), 0))).toBe('HANDSHAKE_RTMPE');
  });

  it.each([0, 1, 2, 4, 5, 7, 10, 31, 32, 0x16, 0x47, 255])('refuses version %i at the first byte', (version) => {
    expect(codeOf(() => server().receive(Buffer.from([version]), 0))).toBe('HANDSHAKE_VERSION');
  });

  it('says so when the first byte looks like TLS, HTTP or neither', () => {
    expect(() => server().receive(Buffer.from([0x16, 3, 1]), 0)).toThrow(/TLS/);
    expect(() => server().receive(Buffer.from('GET /'), 0)).toThrow(/HTTP/);
    expect(() => server().receive(Buffer.from([0x20]), 0)).toThrow(/supported$/);
  });

  it('takes an empty piece for what it is', () => {
    const handshake = server();
    expect(handshake.receive(Buffer.alloc(0), 0)).toBeUndefined();
    expect(handshake.receive(SIMPLE_HELLO, 0)).toBeUndefined();
  });
});
