import { ProtocolError } from '../../src/errors.ts';
import { CLIENT_HELLO_LIMITS, readClientHello } from '../../src/transport/client-hello.ts';
import { MAX_SNIFF_BYTES, sniff } from '../../src/transport/sniff.ts';
import { fixture } from '../support/fixture.ts';
import type { SeededRandom } from '../support/random.ts';

/** One thing to throw random input at: `run` throws at the first input that is treated wrongly. */
export interface FuzzTarget {
  readonly name: string;
  run(random: SeededRandom, iterations: number): void;
}

/** Whole beginnings, so that random bytes get past the first check now and then. */
const OPENINGS: readonly Buffer[] = [
  ...['', 'POST ', 'GET /', '\r\n', '\r\n\r\n', '\n', 'PRI * HTTP/2.0', 'PROXY ', 'SSH-', '\r\n\r\n\0\r\nQUIT\n'],
  ...['\x03', '\x16\x03\x01', '\x16\x03', '\x80\x2e\x01', '<policy-file-request/>'],
].map((text) => Buffer.from(text, 'latin1'));

const firstBytes: FuzzTarget = {
  name: 'sniff',
  run(random, iterations) {
    for (let i = 0; i < iterations; i += 1) {
      const opening = random.pick(OPENINGS);
      const bytes = Buffer.concat([opening.subarray(0, random.int(opening.length + 1)), random.bytes(random.int(20))]);
      checkSniff(bytes);
    }
  },
};

/** Once decided, more bytes change nothing; and the bound is enough to decide. */
function checkSniff(bytes: Buffer): void {
  let decided: string | undefined;
  for (let length = 0; length <= bytes.length; length += 1) {
    const kind = sniff(bytes.subarray(0, length))?.kind;
    const wrong = decided !== undefined ? kind !== decided : length >= MAX_SNIFF_BYTES && kind === undefined;
    if (wrong) throw new Error(`undecided or changed its mind at byte ${length}: ${bytes.toString('hex')}`);
    decided = kind;
  }
}

const HELLOS = ['node', 'old', 'ffmpeg', 'rtmpdump'].map((client) => fixture(`client-hello-${client}`));

const hello: FuzzTarget = {
  name: 'readClientHello',
  run(random, iterations) {
    for (let i = 0; i < iterations; i += 1) checkHello(mutated(random.pick(HELLOS), random));
  },
};

function mutated(original: Buffer, random: SeededRandom): Buffer {
  const bytes = Buffer.from(original);
  for (let changes = random.int(5); changes > 0; changes -= 1) {
    // Near the front are the lengths of records and lists, which matter most.
    const at = random.int(random.pick([12, 80, bytes.length]));
    bytes[Math.min(at, bytes.length - 1)] = random.pick([0, 1, 0xff, random.int(256)]);
  }
  return Buffer.concat([
    bytes.subarray(0, random.int(8) === 0 ? random.int(bytes.length) : bytes.length),
    random.bytes(random.int(8)),
  ]);
}

/** Fed as a door does it: every question asks for more, within bounds, until there is an answer or a ProtocolError. */
function checkHello(bytes: Buffer): void {
  const most = CLIENT_HELLO_LIMITS.maxBytes + 5 * CLIENT_HELLO_LIMITS.maxRecords;
  try {
    for (let length = 1; length <= bytes.length;) {
      const answer = readClientHello(bytes.subarray(0, length));
      if (!('need' in answer)) return checkAnswer(bytes, answer.serverName);
      if (answer.need <= length || answer.need > most) throw new Error(`asked for ${answer.need} with ${length} bytes`);
      length = answer.need;
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw new Error(`with ${bytes.toString('hex')}`, { cause: error });
  }
}

function checkAnswer(bytes: Buffer, serverName: string | undefined): void {
  if (serverName !== undefined && !/^[\w.:*?-]{1,255}$/.test(serverName)) {
    throw new Error(`a name that is not safe to log: ${bytes.toString('hex')}`);
  }
}

export const targets: readonly FuzzTarget[] = [firstBytes, hello];
