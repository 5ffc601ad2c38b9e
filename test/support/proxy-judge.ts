import { SocketAddress } from 'node:net';

/** What an input comes to: a header of so many bytes and whom it names, a refusal, or more to come. */
export type Judgement =
  | { readonly is: 'header'; readonly length: number; readonly client: string | undefined }
  | { readonly is: 'refused' }
  | { readonly is: 'unfinished' };

const REFUSED: Judgement = { is: 'refused' };
const UNFINISHED: Judgement = { is: 'unfinished' };

/**
 * The PROXY protocol a second time, written from the specification's prose in another way, so that it does not share
 * the mistakes of the first: slow, and over whole input only.
 */
export function judge(bytes: Buffer): Judgement {
  const text = bytes.toString('latin1');
  if (text.startsWith('PROXY ')) return judgeLine(text);
  if (text.startsWith('\r\n\r\n\0\r\nQUIT\n')) return judgeBinary([...bytes]);
  const opens = 'PROXY '.startsWith(text) || '\r\n\r\n\0\r\nQUIT\n'.startsWith(text);
  return opens ? UNFINISHED : REFUSED;
}

function judgeLine(text: string): Judgement {
  const [line = '', ...others] = text.slice(0, 107).split('\r\n');
  const words = line.split(' ');
  if (others.length === 0) {
    const halfEnd = words[1]?.startsWith('TCP') === true && /[\r\n]/.test(line.replace(/\r$/, ''));
    return halfEnd || text.length >= 107 ? REFUSED : UNFINISHED;
  }
  const length = line.length + 2;
  if (words[1] === 'UNKNOWN') return { is: 'header', length, client: undefined };
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = words;
  const isAddress = family === 'TCP4' ? isIpv4 : family === 'TCP6' ? isIpv6 : () => false;
  const good = words.length === 6 && [from, to].every(isAddress) && [fromPort, toPort].every(isPort);
  return good ? { is: 'header', length, client: `${plain(from)} ${fromPort}` } : REFUSED;
}

/** Decimal without a leading zero, in range: exactly what a number is written back as. */
function isDecimal(text: string, most: number): boolean {
  return String(Number.parseInt(text, 10)) === text && Number(text) >= 0 && Number(text) <= most;
}

function isPort(text: string): boolean {
  return isDecimal(text, 65_535);
}

function isIpv4(text: string): boolean {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((number) => isDecimal(number, 255));
}

function isIpv6(text: string): boolean {
  const mapped = /^::ffff:(?=.*\.)/i.exec(text)?.[0];
  if (mapped !== undefined) return isIpv4(text.slice(mapped.length));
  const halves = text.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const fits = halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length < 8;
  return fits && groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
}

/** As the system writes it, but for dotted tails: IPv4-mapped addresses are IPv4, all others hexadecimal. */
function plain(address: string): string {
  if (!address.includes(':')) return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const [, a, b, c, d] = /^::(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(canonical) ?? [];
  if (a === undefined) return canonical.replace(/^::ffff:(?=.*\.)/, '');
  return `::${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`;
}

function judgeBinary(bytes: readonly number[]): Judgement {
  const [versionAndCommand, familyAndTransport, high, low] = bytes.slice(12);
  if (versionAndCommand === undefined) return UNFINISHED;
  if (![0x20, 0x21].includes(versionAndCommand)) return REFUSED;
  if (familyAndTransport === undefined) return UNFINISHED;
  if (!/^[0-3][0-2]$/.test(familyAndTransport.toString(16).padStart(2, '0'))) return REFUSED;
  if (high === undefined || low === undefined) return UNFINISHED;
  const declared = high * 256 + low;
  if (declared > 4096) return REFUSED;
  const family = Math.floor(familyAndTransport / 16);
  const means = versionAndCommand === 0x21 && family > 0;
  const needed = means ? ([0, 12, 36, 216][family] ?? 0) : 0;
  if (declared < needed) return REFUSED;
  if (bytes.length < 16 + declared) return UNFINISHED;
  const header = bytes.slice(0, 16 + declared);
  if (means && !fieldsAreRight(header, 16 + needed)) return REFUSED;
  const names = means && family < 3 && familyAndTransport % 16 === 1;
  return { is: 'header', length: header.length, client: names ? clientOf(header, family) : undefined };
}

function clientOf(header: readonly number[], family: number): string {
  const size = family === 1 ? 4 : 16;
  const address = header.slice(16, 16 + size);
  const port = header[16 + 2 * size]! * 256 + header[17 + 2 * size]!;
  const pairs = address.flatMap((byte, i) => (i % 2 === 0 ? [(byte * 256 + address[i + 1]!).toString(16)] : []));
  return `${size === 4 ? address.join('.') : plain(pairs.join(':'))} ${port}`;
}

function fieldsAreRight(header: readonly number[], start: number): boolean {
  const found = split(header.slice(start));
  if (found === undefined) return false;
  const nested = found.filter(({ type }) => type === 0x20);
  if (nested.some(({ value }) => value.length < 5 || split(value.slice(5)) === undefined)) return false;
  const sums = found.filter(({ type }) => type === 3);
  if (sums.length === 0) return true;
  if (sums.length > 1 || sums[0]!.value.length !== 4) return false;
  const at = start + sums[0]!.at;
  const blank = header.map((byte, i) => (i >= at && i < at + 4 ? 0 : byte));
  return slowCrc32c(blank) === Buffer.from(sums[0]!.value).readUInt32BE();
}

interface Part {
  readonly type: number;
  readonly at: number;
  readonly value: readonly number[];
}

function split(block: readonly number[]): Part[] | undefined {
  const parts: Part[] = [];
  for (let i = 0; i < block.length;) {
    const [type, high, low] = block.slice(i, i + 3);
    if (type === undefined || high === undefined || low === undefined) return undefined;
    const value = block.slice(i + 3, i + 3 + high * 256 + low);
    if (value.length !== high * 256 + low) return undefined;
    parts.push({ type, at: i + 3, value });
    i += 3 + value.length;
  }
  return parts;
}

/** Bit by bit, highest first, as in RFC 9260, appendix A: reflect each byte, divide, reflect the rest. */
export function slowCrc32c(bytes: Iterable<number>): number {
  let rest = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit += 1) {
      const top = (rest >> 31n) & 1n;
      rest = (rest << 1n) & 0xffffffffn;
      if (top !== BigInt((byte >> bit) & 1)) rest ^= 0x1edc6f41n;
    }
  }
  const reflected = rest.toString(2).padStart(32, '0').split('').toReversed().join('');
  return (Number.parseInt(reflected, 2) ^ 0xffffffff) >>> 0;
}
