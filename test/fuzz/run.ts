import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { seeded, type SeededRandom } from '../support/random.ts';

/**
 * `npm run fuzz [-- --iterations N --seed N --only NAME]`: a million seeded inputs into every parser and every session, each
 * target in a process of its own with a small heap. A failure names the seed of its batch, which alone repeats it.
 */

interface Target {
  readonly name: string;
  readonly run: (random: SeededRandom, iterations: number) => void | Promise<void>;
}

const SUITES = ['protocol-low', 'sessions', 'media', 'doors', 'proxy-header', 'tunnel'] as const;
const BATCH = 1_000;
/** Far above what any target needs, far below what a leak of a million inputs would take. */
const HEAP_MIB = 256;

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    child: { type: 'string' },
  },
});
const iterations = Number(values.iterations);
const seed = Number(values.seed);

async function allTargets(): Promise<{ suite: string; target: Target }[]> {
  const suites = await Promise.all(
    SUITES.map(async (suite) => {
      const { targets } = (await import(`./${suite}.ts`)) as { targets: readonly Target[] };
      return targets.map((target) => ({ suite, target }));
    }),
  );
  return suites.flat();
}

/** In a child: one target, batch by batch. */
async function fuzz(name: string): Promise<void> {
  const found = (await allTargets()).find(({ target }) => target.name === name);
  if (found === undefined) throw new Error(`there is no target ${name}`);
  for (let done = 0; done < iterations; done += BATCH) {
    const batchSeed = seed + done / BATCH;
    // Streams finish their endings in later ticks, which a loop without a turn of the event loop would never let come.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      await found.target.run(seeded(batchSeed), Math.min(BATCH, iterations - done));
    } catch (error) {
      process.stderr.write(
        `${name} failed; repeat it with: --only ${name} --seed ${batchSeed} --iterations ${BATCH}\n`,
      );
      throw error;
    }
  }
}

/** In the parent: all targets, as many at a time as there are processors. */
async function fuzzAll(): Promise<number> {
  const waiting = (await allTargets()).map(({ target }) => target.name);
  const chosen = values.only === undefined ? waiting : waiting.filter((name) => name === values.only);
  let failures = 0;
  const work = async () => {
    for (let name = chosen.shift(); name !== undefined; name = chosen.shift()) {
      const start = Date.now();
      const failed = await inChild(name);
      if (failed) failures += 1;
      const verdict = failed ? 'FAILED' : 'ok';
      process.stdout.write(
        `${name}: ${iterations} inputs, ${((Date.now() - start) / 1000).toFixed(0)} s, ${verdict}\n`,
      );
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return failures;
}

async function inChild(name: string): Promise<boolean> {
  const args = ['--child', name, '--iterations', String(iterations), '--seed', String(seed)];
  const execArgv = [...process.execArgv, `--max-old-space-size=${HEAP_MIB}`];
  const [code] = await once(fork(import.meta.filename, args, { execArgv }), 'exit');
  return code !== 0;
}

if (values.child !== undefined) await fuzz(values.child);
else process.exitCode = (await fuzzAll()) > 0 ? 1 : 0;
