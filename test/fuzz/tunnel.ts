import { isIP } from 'node:net';
import { LimitError, ProtocolError } from '../../src/errors.ts';
import { forwardedClient } from '../../src/transport/forwarded.ts';
import { formatTarget, parseTarget } from '../../src/transport/rtmpt/paths.ts';
import { HeadReader } from '../../src/transport/rtmpt/wire.ts';
import type { SeededRandom } from '../support/random.ts';
import type { FuzzTarget } from './doors.ts';
import { Schedule } from './tunnel-schedule.ts';

// Heads of requests ---------------------------------------------------------------------------------------------------

const LINES = [
  'Host: localhost:80',
  'Connection: Keep-Alive',
  'Connection: keep-alive',
  'connection: close',
  'Connection: TE , Close',
  'Content-Length: 1',
  'content-length:  1537\t',
  'Content-Length: -1',
  'Content-Length : 1',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Icy-MetaData: 1',
  'Via: 1.1 a',
  'X-Forwarded-For: 192.0.2.1',
  'X: ',
  ':',
  ' folded',
];
const STARTS = [
  'POST /idle/ID/1 HTTP/1.1',
  'POST /send/ID/2 HTTP/1.0',
  'GET / HTTP/1.1',
  'POST  HTTP/1.1',
  'POST /a HTTP/2.0',
];
const MAX_HEAD = 300;

/** What is read of a head, or the status class of its refusal. */
function read(bytes: Buffer): string {
  const head = new HeadReader(MAX_HEAD);
  try {
    const end = head.read(bytes, 0);
    if (end < 0) return 'more';
    const { method, target, minor, contentLength, chunked, persistent, ffmpeg, proxied, unusual } = head;
    return JSON.stringify([end, method, target, minor, contentLength, chunked, persistent, ffmpeg, proxied, unusual]);
  } catch (fault) {
    if (fault instanceof ProtocolError) return fault instanceof LimitError ? 'too long' : 'bad';
    throw fault;
  }
}

const heads: FuzzTarget = {
  name: 'tunnel-heads',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const lines = [random.pick(STARTS), ...Array.from({ length: random.int(6) }, () => random.pick(LINES))];
      checkHead(mutated(Buffer.from(`${lines.join('\r\n')}\r\n\r\nPOST`, 'latin1'), random));
    }
  },
};

/** However much of it is here: first more is wanted, then the verdict falls once and for all. */
function checkHead(bytes: Buffer): void {
  const whole = read(bytes);
  let verdict = 'more';
  for (let length = 0; length <= bytes.length; length++) {
    const now = read(bytes.subarray(0, length));
    if (verdict !== 'more' && now !== verdict)
      throw new Error(
        `it was ${verdict} and became ${now} at byte ${length}: ${JSON.stringify(bytes.toString('latin1'))}`,
      );
    verdict = now;
  }
  if (verdict !== whole || (verdict.startsWith('[') && !agrees(bytes, verdict)))
    throw new Error(`it was read as ${verdict}: ${JSON.stringify(bytes.toString('latin1'))}`);
}

/** A second opinion, by regular expressions, about what decides framing. */
function agrees(bytes: Buffer, verdict: string): boolean {
  const [end, method, target, minor, contentLength, chunked] = JSON.parse(verdict) as unknown[];
  const text = bytes.toString('latin1', 0, end as number);
  const start = /^([!#-'*+.0-9A-Z^-z|~-]+) ([!-~]+) HTTP\/1\.([01])\r\n/.exec(text);
  const lengths = [...text.matchAll(/^content-length:[ \t]*(\d+)[ \t]*\r$/gim)];
  return (
    text.endsWith('\r\n\r\n') &&
    !/[^\r]\n|\r[^\n]/.test(text) &&
    start?.[1] === method &&
    start?.[2] === target &&
    Number(start?.[3]) === minor &&
    lengths.length <= 1 &&
    Number(lengths[0]?.[1] ?? -1) === contentLength &&
    /^transfer-encoding:/im.test(text) === chunked &&
    !(chunked === true && lengths.length > 0)
  );
}

/** Some bytes changed, taken out or doubled; or none. */
function mutated(bytes: Buffer, random: SeededRandom): Buffer {
  let result = bytes;
  for (let changes = random.int(4); changes > 0; changes--) {
    const at = random.int(result.length);
    const [before, after] = [result.subarray(0, at), result.subarray(at + random.int(2))];
    const between = random.pick([
      Buffer.alloc(0),
      random.bytes(1),
      Buffer.from(random.pick(['\r', '\n', ' ', ':', '\r\n', '0'])),
    ]);
    result = Buffer.concat([before, between, after]);
  }
  return result;
}

// Targets and addresses -----------------------------------------------------------------------------------------------

const PATH_PIECES = [
  '/',
  '//',
  'send',
  'idle',
  'idel',
  'close',
  'open',
  'fcs',
  'ident2',
  'abc',
  '0',
  '17',
  '?',
  '9'.repeat(16),
];
const MORE_PATH_PIECES = ['http://a', '..', '%00', '-1', '9007199254740991', '9007199254740992', '\x7f', ':', '#'];

const paths: FuzzTarget = {
  name: 'tunnel-paths',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const pieces = Array.from({ length: random.int(8) }, () => random.pick([...PATH_PIECES, ...MORE_PATH_PIECES]));
      checkTarget(pieces.join(''));
    }
  },
};

function checkTarget(text: string): void {
  const target = parseTarget(text);
  if (target === undefined) return;
  const { command, id, number } = target;
  const isNumbered = command === 'send' || command === 'idle' || (command === 'close' && number >= 0);
  const isSound = isNumbered
    ? Number.isSafeInteger(number) && number >= 0 && id !== '' && !/[/?]/.test(id)
    : number === -1 && (command === 'close') === (id !== '');
  if (!isSound) throw new Error(`${JSON.stringify(text)} was read as ${JSON.stringify(target)}`);
  if (!isNumbered) return;
  const again = parseTarget(formatTarget(command, id, number));
  if (JSON.stringify(again) !== JSON.stringify(target)) throw new Error(`${JSON.stringify(text)} did not come back`);
}

const HOPS = [
  '192.0.2.1',
  '10.0.0.1',
  '10.0.0.2:80',
  '[2001:db8::1]',
  '[2001:db8::1]:443',
  '::1',
  'unknown',
  '_x',
  '',
  ' ',
  '"',
];
const FORWARDED_PIECES = ['for=', 'For="', '"', ',', ';', '=', '\\', 'proto=https', 'by=', ' ', ...HOPS];

const addresses: FuzzTarget = {
  name: 'forwarded',
  run(random, iterations) {
    for (let i = 0; i < iterations; i++) {
      const hops = Array.from({ length: random.int(36) }, () => random.pick(HOPS)).join(random.pick([',', ', ', ';']));
      const pieces = Array.from({ length: random.int(20) }, () => random.pick(FORWARDED_PIECES)).join('');
      checkForwarded(random.int(2) === 0 ? { xForwardedFor: hops } : { forwarded: pieces });
    }
  },
};

function checkForwarded(fields: { xForwardedFor?: string; forwarded?: string }): void {
  try {
    const address = forwardedClient(fields, (hop) => hop.startsWith('10.'));
    if (address !== undefined && isIP(address) === 0) throw new Error(`${JSON.stringify(fields)} became ${address}`);
  } catch (fault) {
    if (!(fault instanceof LimitError)) throw fault;
  }
}

// Sessions ------------------------------------------------------------------------------------------------------------

/** Every input is a whole session of some ten requests. */
function sessions(name: string, isHostile: boolean): FuzzTarget {
  return {
    name,
    run(random, iterations) {
      for (let i = 0; i < iterations; i++) new Schedule(random, isHostile).run();
    },
  };
}

export const targets: readonly FuzzTarget[] = [
  heads,
  paths,
  addresses,
  sessions('tunnel-sessions', false),
  sessions('tunnel-hostile-sessions', true),
];
