import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/transport/crc32c.ts';
import { slowCrc32c } from '../support/proxy-judge.ts';
import { seeded } from '../support/random.ts';

describe('CRC-32C', () => {
  // RFC 3720, B.4 gives the first four with the bytes of the result in the order of transmission.
  it.each([
    ['32 bytes of 0', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of 255', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    ['the digits that catalogues of checksums use', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s', (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
    expect(slowCrc32c(bytes)).toBe(sum);
  });

  it('is the same by table and bit by bit', () => {
    const random = seeded(32);
    for (let i = 0; i < 100; i += 1) {
      const bytes = random.bytes(random.int(100));
      expect(crc32c(bytes)).toBe(slowCrc32c(bytes));
    }
  });
});
