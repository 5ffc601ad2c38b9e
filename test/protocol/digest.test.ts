import { describe, expect, it } from 'vitest';
import {
  PLAYER_KEY,
  SERVER_KEY,
  digestOffset,
  findDigest,
  signedReply,
  writeDigest,
} from '../../src/protocol/digest.ts';
import { fixture, hex } from '../support/fixture.ts';

/** Byte i is 7i mod 256: the sums at 8 and at 772 are 266 and 154. */
const PACKET = Buffer.from(Array.from({ length: 1536 }, (_, i) => (i * 7) & 0xff));

// Digests worked out by Python's hmac module from the published description, not by this code.
const GOLDEN = [
  ['player', 8, PLAYER_KEY, 278, '10a19074a5ce4699edbd7bb14b4519762d742302d4e639d6d47f48fff3ad56f2'],
  ['server', 8, SERVER_KEY, 278, '13023b51d9b70e26a2ce1ca0c6ec64e63b3e6b6870328af2969571460c9c60fc'],
  ['player', 772, PLAYER_KEY, 930, 'c1f8a653abd40fa9c64fd1409605c2605cd0a5f092e8e12fcdbeed20c143cb81'],
  ['server', 772, SERVER_KEY, 930, '0aa533153820fa417b970333160112c6e0a3926eab6600608c4ffcd5c5a25278'],
] as const;

describe('the digest', () => {
  it.each(GOLDEN)('of a %s in layout %i is the one computed elsewhere', (_, layout, key, offset, digest) => {
    const packet = Buffer.from(PACKET);
    expect(digestOffset(packet, layout)).toBe(offset);
    expect(writeDigest(packet, layout, key.short)).toEqual(hex(digest));
    expect(packet.subarray(offset, offset + 32)).toEqual(hex(digest));
    expect(findDigest(packet, key.short)).toEqual({ layout, digest: hex(digest) });
  });

  it('is found in what FFmpeg 5.1 sends, with the digest block first', () => {
    const c1 = fixture('ffmpeg-publish-connect').subarray(1, 1537);
    expect(findDigest(c1, PLAYER_KEY.short)?.layout).toBe(8);
  });

  it('is not found when made with the other key', () => {
    const packet = Buffer.from(PACKET);
    writeDigest(packet, 8, SERVER_KEY.short);
    expect(findDigest(packet, PLAYER_KEY.short)).toBeUndefined();
  });

  it('is not found when one byte of the packet changed', () => {
    for (const at of [0, 4, 277, 278, 309, 310, 1535]) {
      const packet = Buffer.from(PACKET);
      writeDigest(packet, 8, PLAYER_KEY.short);
      packet[at]! ^= 1;
      expect(findDigest(packet, PLAYER_KEY.short), `byte ${at}`).toBeUndefined();
    }
  });

  it('stays inside its block for the greatest sums', () => {
    const packet = Buffer.alloc(1536);
    // 727, the last place of 728, and 728, which is the first again.
    packet.set([255, 255, 217, 0], 8);
    expect(digestOffset(packet, 8)).toBe(12 + 727);
    packet.set([255, 255, 218, 0], 772);
    expect(digestOffset(packet, 772)).toBe(776);
    packet.set([255, 255, 217, 0], 772);
    expect(digestOffset(packet, 772) + 32).toBe(1535);
  });

  it('is answered by the signature computed elsewhere', () => {
    const fill = Buffer.from(Array.from({ length: 1504 }, (_, i) => (i * 5) & 0xff));
    const digest = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
    const server = signedReply(fill, digest, SERVER_KEY.full);
    expect(server.subarray(0, 1504)).toEqual(fill);
    expect(server.subarray(1504)).toEqual(hex('4acd3c3c0f73b9e8b1b72215ec2170b0865fe60471ee71fd0604eda6936d252d'));
    const player = signedReply(fill, digest, PLAYER_KEY.full);
    expect(player.subarray(1504)).toEqual(hex('d98f070dc09dd893f1cf26579807a449543bb48301dcd7a9a0b212504ae7cbb4'));
  });
});
