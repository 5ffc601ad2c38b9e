import { describe, expect, it } from 'vitest';
import { LimitError, ProtocolError } from '../../src/errors.ts';
import { formatProxyHeader, readProxyHeader } from '../../src/transport/proxy-header.ts';
import { checkHeader, fed, mutatedHeader } from '../fuzz/proxy-header.ts';
import { hex } from '../support/fixture.ts';
import { FROM_IPV4, HOSTILE, IPV4, TO_IPV4, tlv, v2, VECTORS, withChecksum } from '../support/proxy-headers.ts';
import { judge } from '../support/proxy-judge.ts';
import { seeded } from '../support/random.ts';

/** What the reader throws, fed whole. */
function refusal(bytes: Buffer): ProtocolError {
  try {
    return new ProtocolError('NOT_REFUSED', JSON.stringify(readProxyHeader(bytes)));
  } catch (error) {
    return error as ProtocolError;
  }
}

/** The code with which it is refused, given one byte more each time. */
function refusalByteByByte(bytes: Buffer): string {
  for (let length = 0; length < bytes.length; length += 1) {
    const { code } = refusal(bytes.subarray(0, length));
    if (code !== 'NOT_REFUSED') return code;
  }
  return refusal(bytes).code;
}

describe('a valid header (must-do 14)', () => {
  it.each(VECTORS)('is read: $name', ({ bytes, client, destination }) => {
    expect(readProxyHeader(bytes)).toEqual({
      version: bytes[0] === 0x50 ? 1 : 2,
      length: bytes.length,
      client,
      destination,
    });
  });

  it.each(VECTORS)('is read byte for byte, whatever follows: $name', ({ bytes, client }) => {
    const named = client && `${client.address} ${client.port}`;
    for (const rest of ['', '\x03', '\r\n', 'PROXY UNKNOWN\r\n', '\r\n\r\n\0\r\nQUIT\n', '\x16\x03\x01'.repeat(700)]) {
      const input = Buffer.concat([bytes, Buffer.from(rest, 'latin1')]);
      expect(fed(input, false)).toEqual({ is: 'header', length: bytes.length, client: named });
      expect(fed(input, true)).toEqual({ is: 'header', length: bytes.length, client: named });
    }
  });

  it.each(VECTORS)('is not taken for one before its last byte: $name', ({ bytes }) => {
    for (let length = 0; length < bytes.length; length += 1) {
      const answer = readProxyHeader(bytes.subarray(0, length));
      const need = 'need' in answer ? answer.need : 0;
      expect(need).toBeGreaterThan(length);
      expect(need).toBeLessThanOrEqual(bytes.length);
    }
  });
});

describe('what is no header (must-do 14)', () => {
  it.each(HOSTILE)('is refused: $code, $name', ({ bytes, code }) => {
    const error = refusal(bytes);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(/^[ -~]+$/);
    expect(refusalByteByByte(bytes)).toBe(code);
    expect(judge(bytes)).toEqual({ is: 'refused' });
  });

  it('is of a kind of its own when it is beyond all measure', () => {
    const [tooLong] = HOSTILE.filter(({ code }) => code === 'PROXY_TOO_LONG');
    expect(refusal(tooLong!.bytes)).toBeInstanceOf(LimitError);
  });

  it('is known as such at the first byte that cannot belong to one', () => {
    for (const bytes of ['\x03', 'G', 'PRI', '\r\nP', 'PROXY TCP4 1\n', 'PROXY TCP6 ::1 \r1']) {
      const early = Buffer.from(bytes, 'latin1');
      expect(readProxyHeader(early.subarray(0, -1))).toEqual({ need: expect.any(Number) });
      expect(refusal(early).code).toMatch(/^PROXY_(MISSING|LINE_END)$/);
    }
    expect(refusal(Buffer.concat([v2('').subarray(0, 12), hex('30')])).code).toBe('PROXY_VERSION');
    expect(refusal(Buffer.concat([v2('').subarray(0, 12), hex('21 90')])).code).toBe('PROXY_FAMILY');
  });
});

describe('a checksum (must-do 17)', () => {
  const header = withChecksum(
    v2('21 11', IPV4, tlv(4, Buffer.from('before')), '03 0004 00000000', tlv(5, Buffer.from('behind it'))),
  );

  it('that is right is accepted', () => {
    expect(readProxyHeader(header)).toMatchObject({ client: FROM_IPV4, length: header.length });
  });

  it('finds out any bit that was changed', () => {
    for (let bit = 0; bit < header.length * 8; bit += 1) {
      const changed = Buffer.from(header);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      const judgement = checkHeader(changed);
      // LOCAL, UNSPEC and datagrams name nobody, and a checksum of another type is none.
      const isChecksum = bit >> 3 !== header.indexOf(hex('03 0004'), 16);
      if (judgement.is === 'header' && isChecksum) expect(judgement.client).toBeUndefined();
    }
  });
});

describe('ten thousand mutated headers', () => {
  it('are accepted exactly when a second reading of the specification accepts them', () => {
    const random = seeded(20_260_427);
    const counts = { header: 0, refused: 0, unfinished: 0 };
    for (let i = 0; i < 10_000; i += 1) counts[checkHeader(mutatedHeader(random)).is] += 1;
    // Neither side may be right by refusing everything.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(500);
  });
});

describe('a header of ours', () => {
  const IPV6_END = { address: '2001:db8::1', port: 443 };

  it.each([
    ['v1', FROM_IPV4, TO_IPV4, Buffer.from('PROXY TCP4 192.0.2.7 203.0.113.9 56324 1935\r\n')],
    ['v1', IPV6_END, { address: '::1', port: 0 }, Buffer.from('PROXY TCP6 2001:db8::1 ::1 443 0\r\n')],
    ['v1', FROM_IPV4, IPV6_END, Buffer.from('PROXY TCP6 ::ffff:c000:207 2001:db8::1 56324 443\r\n')],
    ['v1', undefined, TO_IPV4, Buffer.from('PROXY UNKNOWN\r\n')],
    ['v1', { address: 'somewhere', port: 1 }, TO_IPV4, Buffer.from('PROXY UNKNOWN\r\n')],
    ['v2', FROM_IPV4, TO_IPV4, v2('21 11', IPV4)],
    [
      'v2',
      IPV6_END,
      FROM_IPV4,
      v2('21 21', '20010db8 00000000 00000000 00000001 00000000 00000000 0000ffff c0000207 01bb dc04'),
    ],
    ['v2', FROM_IPV4, undefined, v2('20 00')],
  ] as const)('of %s, from %j to %j', (version, client, destination, bytes) => {
    expect(formatProxyHeader(version, client, destination).toString('latin1')).toBe(bytes.toString('latin1'));
  });

  it.each(['v1', 'v2'] as const)('says the same in %s as was said to us, whatever the spelling', (version) => {
    for (const { client, destination } of VECTORS) {
      const bytes = formatProxyHeader(version, client, destination);
      expect(readProxyHeader(bytes)).toMatchObject({ length: bytes.length, client, destination });
    }
    const mapped = formatProxyHeader(version, { address: '::ffff:192.0.2.7', port: 56324 }, TO_IPV4);
    expect(mapped).toEqual(formatProxyHeader(version, FROM_IPV4, TO_IPV4));
  });
});
