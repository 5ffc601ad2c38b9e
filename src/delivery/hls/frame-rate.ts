/** What cameras and encoders use, and its NTSC relatives. */
const USUAL = [
  10,
  12,
  12.5,
  15,
  24000 / 1001,
  24,
  25,
  30000 / 1001,
  30,
  48,
  50,
  60000 / 1001,
  60,
  90,
  100,
  120000 / 1001,
  120,
];
/** RTMP's whole milliseconds make a measured second wrong by so much at most. */
const NEAR = 0.003;
/** What the bitstream says of itself is taken if it is about what comes: some say 60 and send 30. */
const TOLD_NEAR = 0.02;

/**
 * FRAME-RATE of a variant (RFC 8216bis, 4.4.6.2). `measured`: pictures a second that came; `told`: by the bitstream. Undefined: no
 * pictures to speak of.
 */
export function frameRate(measured: number, told: number | undefined): number | undefined {
  if (measured < 1) return undefined;
  if (told !== undefined && Math.abs(told / measured - 1) < TOLD_NEAR) return told;
  const distance = (rate: number): number => Math.abs(rate / measured - 1);
  const nearest = USUAL.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
  return distance(nearest) < NEAR ? nearest : measured;
}
