import { afterEach } from 'vitest';

/** What is started in a test and has to end with it, whatever becomes of the test. */
export interface Kept {
  /** Stopped behind the test, the last one first. */
  readonly kept: <T extends { stop(): Promise<unknown> }>(started: T) => T;
  /** The same for what is ended in another way. */
  readonly later: (end: () => Promise<unknown>) => void;
}

/** To be called once in a file, or in a `describe`. */
export function keeping(): Kept {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const later = (end: () => Promise<unknown>): void => void ends.push(end);
  const kept = <T extends { stop(): Promise<unknown> }>(started: T): T => {
    later(() => started.stop());
    return started;
  };
  return { kept, later };
}
