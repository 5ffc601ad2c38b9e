#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { run } from './commands/index.ts';
import { Gateway } from './gateway.ts';
import { createLog } from './log.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Whoever reads our output may leave (`| head`); the gateway goes on serving.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const io = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
  env: process.env,
  terminal: process.stdout.isTTY === true,
  signals: process,
  version,
};
const status = await run(process.argv.slice(2), io, {
  createLog,
  createGateway: (config, log) => new Gateway(config, log),
});
// Not just `process.exitCode`: whatever may linger after an ending at once must not keep the process alive.
process.stdout.write('', () => process.exit(status));
