import { readFileSync } from 'node:fs';

/** The bytes of `test/fixtures/<name>.hex`: hex digits, spaced at will; lines that begin with `#` say where they are from. */
export function fixture(name: string): Buffer {
  return hex(readFileSync(new URL(`../fixtures/${name}.hex`, import.meta.url), 'utf8'));
}

/** Bytes written down as hex digits, with spaces, line ends and `#` comments between them. */
export function hex(text: string): Buffer {
  const digits = text.replaceAll(/#.*/g, '').replaceAll(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error('not hex');
  return Buffer.from(digits, 'hex');
}
