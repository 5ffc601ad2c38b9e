import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Farewell } from './farewell-child.ts';
import { run } from './programs.ts';

const CHILD = fileURLToPath(new URL('./farewell-child.ts', import.meta.url));

/** Lets `visitors` clients of every kind, after `warmUp` others, come to a gateway in a process of its own and go again. */
export async function sayFarewell(visitors: number, warmUp: number, limitMs: number): Promise<Farewell> {
  const args = ['--expose-gc', '--import', 'tsx', CHILD, String(visitors), String(warmUp)];
  const { code, stdout, stderr } = await run(process.execPath, args, limitMs).finished;
  if (code !== 0) throw new Error(`the visited process ended with status ${code}:\n${stderr}`);
  return JSON.parse(stdout.toString()) as Farewell;
}

/** Everybody came; nobody is counted, no timer or socket more than before anybody came, heap and buffers back to `slackKiB`. */
export function expectNothingLeft(
  { empty, before, after, asPlanned }: Farewell,
  visitors: number,
  slackKiB: number,
): void {
  expect(asPlanned).toBe(visitors);
  expect(Object.values(after.counts)).toEqual(Object.values(after.counts).map(() => 0));
  expect(after.resources).toEqual(empty.resources);
  expect(after.heapKiB - before.heapKiB).toBeLessThan(slackKiB);
  expect(after.buffersKiB - before.buffersKiB).toBeLessThan(slackKiB);
}
