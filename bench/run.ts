import { appendFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { rounds } from './measure/rounds.ts';
import { table } from './measure/table.ts';
import { arrivals, tunnelArrivals } from './suites/arrivals.ts';
import { bridge } from './suites/bridge.ts';
import { handshakes } from './suites/handshakes.ts';
import { fanOut, ingest, memory, tunnelFanOut } from './suites/media.ts';
import { hls } from './suites/hls.ts';
import { onward } from './suites/onward.ts';
import { heldPolls, polls } from './suites/polls.ts';
import { stalled } from './suites/stalled.ts';
import type { Suite } from './suites/suite.ts';

const PLAYING = [fanOut, tunnelFanOut, ingest, arrivals, tunnelArrivals, memory];
const SUITES = [polls, heldPolls, ...PLAYING, onward, hls, ...bridge, handshakes, stalled];
const USAGE = `npm run bench -- [suite…] [--rounds 3] [--seconds 8] [--only contender] [--out results.jsonl]
suites: ${SUITES.map(({ name }) => name).join(', ')}
`;

const say = (text: string) => process.stdout.write(`${text}\n`);

async function runSuite(
  suite: Suite,
  options: { rounds: number; seconds: number; only: string | undefined; out: string | undefined },
) {
  const absent = suite.entries.filter((entry) => entry.missing !== undefined);
  for (const { name, missing } of absent) say(`${suite.name}: without ${name}: ${missing}`);
  const present = suite.entries.filter(
    (entry) => entry.missing === undefined && (options.only ?? entry.name) === entry.name,
  );
  const rows = await rounds(
    options.rounds,
    present,
    (contender) => suite.once(contender, options),
    (contender, round, figures) => {
      const line = JSON.stringify({ suite: suite.name, contender, round, ...figures });
      process.stderr.write(`${line}\n`);
      if (options.out !== undefined) appendFileSync(options.out, `${line}\n`);
    },
  );
  say(`\n${table(`${suite.name}: ${suite.title}`, rows)}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      only: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const wanted = positionals.length === 0 ? SUITES : SUITES.filter(({ name }) => positionals.includes(name));
  const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (values.help || unknown.length > 0) {
    say(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (values.out !== undefined) writeFileSync(values.out, '');
  const memory = Math.round(totalmem() / 2 ** 30);
  say(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${memory} GiB; medians of ${values.rounds} rounds, ${values.seconds} s each`,
  );
  for (const suite of wanted) {
    await runSuite(suite, {
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      only: values.only,
      out: values.out,
    });
  }
}

await main();
