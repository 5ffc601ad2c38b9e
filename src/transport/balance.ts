import { createHash } from 'node:crypto';

export type Balance = 'least-connections' | 'first-available' | 'hash';

/** What the choice between servers depends on. */
export interface Candidate {
  /** Tells servers apart, in every process alike. */
  readonly name: string;
  /** Its share, against those of the others. */
  readonly weight: number;
  /** Connections that it has, or is about to have. */
  readonly load: number;
  /** The number of the choice that it was last taken by. */
  readonly chosenAt: number;
}

/**
 * The least loaded for its weight first, as if it had one more; of equals the one that has waited longest, so that a pool
 * at rest takes turns.
 */
export function byLoad<C extends Candidate>(candidates: readonly C[]): C[] {
  const loadOf = ({ load, weight }: C): number => (load + 1) / weight;
  return candidates.toSorted((a, b) => loadOf(a) - loadOf(b) || a.chosenAt - b.chosenAt);
}

/**
 * Weighted rendezvous hashing: every server draws a number from the key, the highest wins. Only the keys of a server that
 * goes move, and they spread over all others (Thaler and Ravishankar 1998; weights by -w / ln(h)).
 */
export function byHash<C extends Candidate>(candidates: readonly C[], key: string): C[] {
  const drawn = candidates.map((candidate) => ({ candidate, score: scoreOf(candidate, key) }));
  return drawn.sort((a, b) => b.score - a.score).map(({ candidate }) => candidate);
}

const HASH_BYTES = 6;

function scoreOf({ name, weight }: Candidate, key: string): number {
  const digest = createHash('sha256').update(`${name}\0${key}`).digest();
  // Never 0 nor 1, whose logarithms are of no use.
  const drawn = (digest.readUIntBE(0, HASH_BYTES) + 0.5) / 2 ** (8 * HASH_BYTES);
  return -weight / Math.log(drawn);
}

/** The same stream under the same key, however a client splits its path; what stands behind `?` is not part of it. */
export function streamKey(app: string, name: string): string {
  const parts = [app, name].flatMap((text) => text.split('?', 1)[0]!.split('/'));
  return parts.filter((part) => part !== '').join('/');
}
