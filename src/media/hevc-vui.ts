import type { BitReader } from './bits.ts';
import { look, readFrameRate, readTransfer, type VideoLook } from './vui.ts';

/** More than these (H.265, 7.4.3.2.1) is no sequence parameter set. */
const MAX_SETS = 64;
const MAX_PICTURES = 16;

/** What follows the size in a sequence parameter set (H.265, 7.3.2.2.1), up to the usability information. */
export function readHevcLook(bits: BitReader, subLayers: number): VideoLook {
  bits.ue();
  bits.ue();
  const orderBits = bits.ue() + 4;
  for (let i = bits.flag() ? 0 : subLayers; i <= subLayers; i++) times(3, () => bits.ue());
  times(6, () => bits.ue());
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2);
  if (bits.flag()) skipPcm(bits);
  if (!skipReferenceSets(bits) || !skipLongTerm(bits, orderBits)) return {};
  bits.skip(2);
  return bits.flag() ? readLook(bits) : {};
}

function readLook(bits: BitReader): VideoLook {
  const transfer = readTransfer(bits);
  bits.skip(3);
  if (bits.flag()) times(4, () => bits.ue());
  return look(readFrameRate(bits, 1), transfer);
}

/** H.265, 7.3.4. */
function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue();
        continue;
      }
      if (size > 1) bits.se();
      times(Math.min(64, 16 << (2 * size)), () => bits.se());
    }
  }
}

function skipPcm(bits: BitReader): void {
  bits.skip(8);
  bits.ue();
  bits.ue();
  bits.skip(1);
}

/** Short-term reference picture sets, H.265, 7.3.7. False: nonsense. */
function skipReferenceSets(bits: BitReader): boolean {
  const count = bits.ue();
  if (count > MAX_SETS) return false;
  let pictures = 0;
  for (let i = 0; i < count && pictures <= MAX_PICTURES; i++) {
    pictures = i > 0 && bits.flag() ? predictedSet(bits, pictures) : ownSet(bits);
  }
  return pictures <= MAX_PICTURES;
}

/** Made of the set before it, which has so many pictures. */
function predictedSet(bits: BitReader, before: number): number {
  bits.skip(1);
  bits.ue();
  let pictures = 0;
  for (let i = 0; i <= before; i++) if (bits.flag() || bits.flag()) pictures++;
  return pictures;
}

function ownSet(bits: BitReader): number {
  const pictures = bits.ue() + bits.ue();
  if (pictures > MAX_PICTURES) return pictures;
  times(pictures, () => {
    bits.ue();
    bits.skip(1);
  });
  return pictures;
}

function skipLongTerm(bits: BitReader, orderBits: number): boolean {
  if (!bits.flag()) return true;
  const count = bits.ue();
  if (count > 32) return false;
  bits.skip(count * (orderBits + 1));
  return true;
}

function times(count: number, what: () => unknown): void {
  for (let i = 0; i < count; i++) what();
}
