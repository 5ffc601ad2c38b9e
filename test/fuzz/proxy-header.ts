import { ProtocolError } from '../../src/errors.ts';
import { addressText } from '../../src/transport/address.ts';
import {
  formatProxyHeader,
  PROXY_HEADER_LIMITS,
  readProxyHeader,
  type Endpoint,
} from '../../src/transport/proxy-header.ts';
import { IPV4, IPV6, tlv, v2, VECTORS, withChecksum } from '../support/proxy-headers.ts';
import { judge, type Judgement } from '../support/proxy-judge.ts';
import type { SeededRandom } from '../support/random.ts';
import type { FuzzTarget } from './doors.ts';

/** Headers with a byte or several changed, cut off, lengthened, or with a checksum that fits all the same. */
export function mutatedHeader(random: SeededRandom): Buffer {
  const bytes = random.int(3) === 0 ? madeUp(random) : Buffer.from(random.pick(VECTORS).bytes);
  for (let changes = random.int(4); changes > 0; changes -= 1) {
    // Near the front and among the fields is what matters; text is changed to what text is made of.
    const at = random.int(random.pick([16, 64, bytes.length]));
    if (at < bytes.length) bytes[at] = random.pick([0, 1, 3, 0x20, 0x30 + random.int(11), 0x0d, 0x0a, random.int(256)]);
  }
  const whole = random.int(6) > 0 ? bytes : bytes.subarray(0, random.int(bytes.length + 1));
  return Buffer.concat([whole, random.bytes(random.pick([0, 0, 1, 200]))]);
}

/** A header of version 2 with fields at random, most of the time whole and with a right checksum. */
function madeUp(random: SeededRandom): Buffer {
  const count = random.int(4);
  const fields = Array.from({ length: count }, () =>
    tlv(random.pick([1, 2, 4, 5, 0x20, 0xea]), random.bytes(random.int(12))),
  );
  const head = random.pick(['21 11', '21 11', '21 12', '20 11', '21 10', '21 00']);
  if (random.int(4) === 0) return v2('21 21', IPV6, ...fields);
  if (random.int(3) === 0) return v2(head, IPV4, ...fields);
  return withChecksum(v2(head, IPV4, '03 0004 00000000', ...fields));
}

/** What the reader makes of an input, given more whenever it asks, or one byte at a time. */
export function fed(bytes: Buffer, everyByte: boolean): Judgement {
  try {
    for (let length = Math.min(1, bytes.length); ;) {
      const answer = readProxyHeader(bytes.subarray(0, length));
      if (!('need' in answer)) return { is: 'header', length: answer.length, client: shown(answer.client) };
      const most = 16 + PROXY_HEADER_LIMITS.maxBlockBytes;
      if (answer.need <= length || answer.need > most) throw new Error(`asked for ${answer.need} with ${length} bytes`);
      if (length === bytes.length) return { is: 'unfinished' };
      length = everyByte ? length + 1 : Math.min(answer.need, bytes.length);
    }
  } catch (error) {
    if (error instanceof ProtocolError && error.code.startsWith('PROXY_')) return { is: 'refused' };
    throw error;
  }
}

function shown(client: Endpoint | undefined): string | undefined {
  return client && `${client.address} ${client.port}`;
}

/** Throws unless the reader and the judge agree, however the input is cut. */
export function checkHeader(bytes: Buffer): Judgement {
  const expected = judge(bytes);
  for (const found of [fed(bytes, false), fed(bytes, true)]) {
    if (JSON.stringify(found) === JSON.stringify(expected)) continue;
    throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}: ${bytes.toString('hex')}`);
  }
  return expected;
}

const reading: FuzzTarget = {
  name: 'readProxyHeader',
  run(random, iterations) {
    for (let i = 0; i < iterations; i += 1) checkHeader(mutatedHeader(random));
  },
};

/** An address of either family, with runs of zeroes now and then. */
function endpoint(random: SeededRandom): Endpoint {
  const bytes = random.bytes(random.pick([4, 16]));
  for (let i = 0; i < bytes.length; i += 2) if (random.int(2) === 0) bytes.fill(0, i, i + 2);
  return { address: addressText(bytes), port: random.pick([0, 1935, 65_535, random.int(65_536)]) };
}

const writing: FuzzTarget = {
  name: 'formatProxyHeader',
  run(random, iterations) {
    for (let i = 0; i < iterations; i += 1) {
      const [client, destination] = [endpoint(random), endpoint(random)];
      const bytes = formatProxyHeader(random.pick(['v1', 'v2']), client, destination);
      const expected = JSON.stringify({ is: 'header', length: bytes.length, client: shown(client) });
      if (JSON.stringify(checkHeader(bytes)) !== expected) throw new Error(`${expected}: ${bytes.toString('hex')}`);
    }
  },
};

export const targets: readonly FuzzTarget[] = [reading, writing];
