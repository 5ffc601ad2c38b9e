import { installPrograms } from './programs.ts';

/** Runs once before all test files. */
export function setup(): void {
  installPrograms();
}
