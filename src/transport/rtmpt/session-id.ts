/**
 * Session ids: an optional node tag, then 22 characters of `[A-Za-z0-9]`, which is 131 random bits. FFmpeg wants the whole
 * body of the open answer within 63 bytes, Flash ids of at most 31 characters.
 *
 * The id is all that protects a session. Looking it up in a Map leaks nothing useful through its timing: the hash of a
 * string is seeded per process, and only a guess that is right in all 22 characters is ever compared to the end.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_CHARACTERS = 22;
/** The largest multiple of 62 in a byte: higher ones would make some characters likelier than others. */
const FAIR_BYTES = 248;

/** Nothing longer is anybody's id. */
export const MAX_ID_LENGTH = 31;

export function createSessionId(nodeTag: string, random: (bytes: number) => Buffer): string {
  let id = '';
  while (id.length < RANDOM_CHARACTERS) {
    for (const byte of random(RANDOM_CHARACTERS)) {
      if (byte < FAIR_BYTES && id.length < RANDOM_CHARACTERS) id += ALPHABET[byte % ALPHABET.length];
    }
  }
  return nodeTag + id;
}
