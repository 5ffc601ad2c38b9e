import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { recordClientHello } from '../support/client-hello.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { FROM_IPV4, HOSTILE, IPV4, TO_IPV4, tlv, v2, VECTORS, withChecksum } from '../support/proxy-headers.ts';
import { seeded } from '../support/random.ts';
import { testCertificates, type TestCertificates } from '../support/test-certificates.ts';
import { closed, everything, next, openTestDoor, type TestDoor, type TestDoorOptions } from '../support/test-door.ts';

const LINE = `PROXY TCP4 ${FROM_IPV4.address} ${TO_IPV4.address} ${FROM_IPV4.port} ${TO_IPV4.port}\r\n`;
const HEADERS: ReadonlyArray<readonly [string, Buffer]> = [
  ['version 1', Buffer.from(LINE)],
  ['version 2', v2('21 11', IPV4, tlv(4, Buffer.alloc(9)))],
];
/** Amazon's NLB; UNKNOWN; HAProxy: headers that name nobody. */
const NAMELESS = VECTORS.filter(({ client }) => client === undefined);

let certificates: TestCertificates;
let gate: TestDoor;

beforeAll(async () => {
  certificates = await testCertificates(['localhost']);
});
afterEach(() => gate.close());

async function open(options: TestDoorOptions = {}): Promise<TestDoor> {
  gate = await openTestDoor({ certificates, proxyProtocol: 'require', ...options });
  return gate;
}

/** Writes piece by piece, each on its way before the next one. */
async function dribble(client: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    await new Promise((resolve) => client.write(piece, resolve));
    await setImmediate();
  }
}

const rtmp = (payload = '\x03'): Buffer => Buffer.from(payload, 'latin1');

/** TLS behind a header that has been written to `raw` or goes out with the ClientHello. */
async function secure(raw: Socket): Promise<TLSSocket> {
  const client = connectTls({ socket: raw, rejectUnauthorized: false });
  client.on('error', () => {});
  await new Promise((resolve) => client.once('secureConnect', resolve));
  return client;
}

describe.each(HEADERS)('a header of %s (must-do 14)', (_, header) => {
  it('is taken off wherever it is cut, and the client it names is there instead of the proxy', async () => {
    await open();
    const whole = Buffer.concat([header, rtmp('\x03 and what follows')]);
    for (let cut = 0; cut <= header.length + 1; cut += 1) {
      const client = await gate.connect();
      await dribble(client, [whole.subarray(0, cut), whole.subarray(cut)]);
      expect(await next(client)).toBe('rtmp');
      client.end();
      await closed(client);
    }
    expect(new Set(gate.rtmp.map(({ received }) => received()))).toEqual(new Set(['\x03 and what follows']));
    expect(gate.rtmp.every(({ peer }) => peer.address === FROM_IPV4.address && peer.port === FROM_IPV4.port)).toBe(
      true,
    );
    expect(gate.hints()).toEqual([]);
  });

  it.each([
    ['in one piece with a megabyte', (bytes: Buffer) => [bytes]],
    ['cut at random', (bytes: Buffer) => cuts(bytes.subarray(0, 4000), seeded(14))],
    ['byte by byte', (bytes: Buffer) => byteByByte(bytes.subarray(0, header.length + 20))],
  ])('loses no byte behind it: %s', async (_how, pieces) => {
    await open();
    const payload = Buffer.concat([rtmp(), seeded(15).bytes(1_000_000)]);
    const sent = pieces(Buffer.concat([header, payload]));
    const client = await gate.connect();
    await dribble(client, sent);
    client.end();
    await everything(client);
    const expected = Buffer.concat(sent).subarray(header.length).toString('latin1');
    expect(gate.rtmp[0]?.received() === expected).toBe(true);
  });

  it('stands before TLS, in one segment with the ClientHello or byte by byte', async () => {
    await open();
    for (const pieces of [[header], byteByByte(header)]) {
      const raw = await gate.connect();
      await dribble(raw, pieces);
      const client = await secure(raw);
      client.write('\x03');
      expect(await next(client)).toBe('rtmp');
    }
    const raw = await gate.connect();
    raw.write(Buffer.concat([header, await recordClientHello({})]));
    expect((await next(raw)).charCodeAt(0)).toBe(0x16);
    expect(gate.rtmp.map(({ peer }) => peer)).toMatchObject([
      { scheme: 'rtmps', ...FROM_IPV4 },
      { scheme: 'rtmps', ...FROM_IPV4 },
    ]);
  });

  it('names the client of an HTTP connection, plain and in TLS', async () => {
    await open();
    const plain = await gate.connect();
    plain.write(Buffer.concat([header, rtmp('POST /open/1 HTTP/1.1\r\n\r\n')]));
    await next(plain);
    const raw = await gate.connect();
    raw.write(header);
    const client = await secure(raw);
    client.write('POST /open/1 HTTP/1.1\r\n\r\n');
    await next(client);
    expect(gate.http.map(({ received }) => received())).toEqual(Array(2).fill('POST /open/1 HTTP/1.1\r\n\r\n'));
    // What the proxy is trusted with is its header; this client's own word about others counts for nothing.
    expect(gate.http.map(({ peer }) => peer)).toMatchObject(Array(2).fill({ ...FROM_IPV4, trusted: false }));
  });

  it('may come without anything behind it', async () => {
    await open();
    const client = await gate.connect();
    client.end(header);
    expect(await everything(client)).toBe('');
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
  });
});

describe('every valid header (must-do 14)', () => {
  it('lets its client in', async () => {
    await open();
    for (const { bytes, client } of VECTORS) {
      const socket = await gate.connect();
      socket.write(Buffer.concat([bytes, rtmp()]));
      expect(await next(socket)).toBe('rtmp');
      const peer = client ?? { address: '127.0.0.1', port: socket.localPort };
      expect(gate.rtmp.at(-1)?.peer).toMatchObject(peer);
    }
  });

  it('that names a trusted proxy makes its X-Forwarded-For count', async () => {
    await open();
    const client = await gate.connect();
    client.write('PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\n\r\n');
    await next(client);
    expect(gate.http[0]?.peer).toMatchObject({ address: '127.0.0.9', port: 1, trusted: true });
  });
});

describe('a door that requires a header', () => {
  it.each(HOSTILE.map(({ name, bytes, code }) => [code, name, bytes] as const))(
    'closes without an answer, and says in one line why: %s, %s (must-do 14)',
    async (code, _name, bytes) => {
      await open();
      const client = await gate.connect();
      client.write(Buffer.concat([bytes, Buffer.alloc(1600, 3)]));
      expect(await everything(client)).toBe('');
      await gate.emptied();
      expect(gate.rtmp).toEqual([]);
      expect(gate.hints()).toEqual([expect.stringMatching(/^PROXY protocol header refused: /)]);
      expect(gate.lines.find(({ level }) => level !== 'debug')?.fields).toMatchObject({ code, address: '127.0.0.1' });
    },
  );

  it('closes on a wrong checksum and lets a right one in (must-do 17)', async () => {
    await open();
    const header = withChecksum(v2('21 11', IPV4, '03 0004 00000000'));
    const right = await gate.connect();
    right.write(Buffer.concat([header, rtmp()]));
    expect(await next(right)).toBe('rtmp');
    header[header.length - 1] = header.at(-1)! ^ 1;
    const wrong = await gate.connect();
    wrong.write(Buffer.concat([header, rtmp()]));
    expect(await everything(wrong)).toBe('');
    expect(gate.hints()).toEqual(['PROXY protocol header refused: its checksum is wrong']);
  });

  it.each([
    ['RTMP', async () => rtmp('\x03'.repeat(1537))],
    ['HTTP', async () => rtmp('GET / HTTP/1.1\r\n\r\n')],
    ['TLS', async () => recordClientHello({})],
  ])('turns %s without one away at once, and says what to do (must-do 15)', async (_, bytes) => {
    await open();
    const client = await gate.connect();
    client.write(await bytes());
    expect(await everything(client)).toBe('');
    const hint = 'there is none; let the proxy send one, or set proxyProtocol: off for this port';
    expect(gate.hints()).toEqual([`PROXY protocol header refused: ${hint}`]);
  });

  it('closes at the deadline one that began, and in silence who says nothing (must-do 15)', async () => {
    await open({ limits: { sniffMs: 40 } });
    const silent = await gate.connect();
    expect(await everything(silent)).toBe('');
    expect(gate.hints()).toEqual([]);
    for (const begun of [LINE.slice(0, 30), v2('21 11', IPV4).subarray(0, 20)]) {
      const client = await gate.connect();
      client.write(begun);
      expect(await everything(client)).toBe('');
    }
    expect(gate.hints()).toEqual(Array(2).fill('PROXY protocol header refused: it began and did not end in time'));
    await gate.emptied();
  });

  it('gives no more time to a header that comes in drops (must-do 15)', async () => {
    await open({ limits: { sniffMs: 60 } });
    const client = await gate.connect();
    client.write('PROXY UNKNOWN ');
    const drops = setInterval(() => client.write('x'), 5);
    await everything(client);
    clearInterval(drops);
    expect(gate.hints()).toEqual(['PROXY protocol header refused: it began and did not end in time']);
  });

  it('closes who is not trusted before reading anything, its header good or not (must-do 15)', async () => {
    await open({ trusted: ['192.0.2.0/24'] });
    for (let i = 0; i < 20; i += 1) {
      const client = await gate.connect();
      client.write(LINE + '\x03');
      expect(await everything(client)).toBe('');
    }
    expect(gate.rtmp).toEqual([]);
    expect(gate.hints()).toEqual(Array(5).fill(expect.stringContaining('trustedProxies')));
    expect(gate.lines[0]?.fields).toMatchObject({ code: 'PROXY_UNTRUSTED', address: '127.0.0.1' });
    expect([gate.sockets.count, gate.newcomers.count]).toEqual([0, 0]);
  });

  it('takes a second header for what it is: no protocol (must-do 14)', async () => {
    await open();
    for (const second of [LINE, v2('21 11', IPV4)]) {
      const client = await gate.connect();
      client.write(Buffer.concat([Buffer.from(LINE), Buffer.from(second)]));
      expect(await everything(client)).toBe('');
    }
    expect(gate.hints()).toEqual(Array(2).fill(expect.stringMatching(/^a second PROXY protocol header/)));
  });

  it.each(NAMELESS)('takes what names nobody for the proxy itself, quietly: $name (must-do 16)', async ({ bytes }) => {
    await open();
    const probe = await gate.connect();
    probe.end(bytes);
    await closed(probe);
    const client = await gate.connect();
    client.write(Buffer.concat([bytes, rtmp()]));
    expect(await next(client)).toBe('rtmp');
    expect(gate.rtmp).toHaveLength(1);
    expect(gate.rtmp[0]?.received()).toBe('\x03');
    expect(gate.rtmp[0]?.peer).toMatchObject({ address: '127.0.0.1', port: client.localPort });
    expect(gate.hints()).toEqual([]);
  });

  it('bears resets within and behind the header', async () => {
    await open();
    for (const bytes of ['', LINE.slice(0, 20), LINE, `${LINE}\x16\x03\x01\x02\x00\x01`]) {
      const client = await gate.connect();
      client.write(bytes);
      const other = await gate.connect();
      other.write(`${LINE}\x03`);
      await next(other);
      client.resetAndDestroy();
      other.end();
    }
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
    expect([gate.sockets.count, gate.newcomers.count, gate.clients.count]).toEqual([0, 0, 0]);
  });
});

describe('a door that expects no header', () => {
  it.each([...HEADERS, ['LOCAL', v2('20 00')] as const])(
    'takes one of %s for garbage, and says what to set (must-do 15)',
    async (_, header) => {
      await open({ proxyProtocol: 'off' });
      const client = await gate.connect();
      client.write(Buffer.concat([header, rtmp()]));
      expect(await everything(client)).toBe('');
      expect(gate.rtmp).toEqual([]);
      expect(gate.hints()).toEqual([expect.stringContaining('set proxyProtocol: require for it')]);
      expect(gate.lines.find(({ level }) => level === 'info')?.fields).toMatchObject({ address: '127.0.0.1' });
    },
  );

  it('says so too when it comes inside TLS', async () => {
    await open();
    const raw = await gate.connect();
    raw.write(LINE);
    const client = await secure(raw);
    client.write(LINE);
    await everything(client);
    expect(gate.hints()).toEqual(['a PROXY protocol header came inside TLS: it belongs in front of it']);
  });
});

describe('limits behind a proxy', () => {
  const from = (last: number, payload: string): string => `PROXY TCP4 192.0.2.${last} 127.0.0.1 1 2\r\n${payload}`;

  it('count each client by its own address, and the proxy not at all', async () => {
    await open({ perAddress: 2, exempt: (address) => address.startsWith('127.') });
    for (const last of [1, 1, 2, 2, 3]) {
      const client = await gate.connect();
      client.write(from(last, '\x03'));
      expect(await next(client)).toBe('rtmp');
    }
    const third = await gate.connect();
    third.write(from(1, '\x03'));
    expect(await everything(third)).toBe('');
    expect(gate.lines.at(-1)).toMatchObject({
      message: 'too many connections, in all or from this address: client turned away',
      fields: { address: '192.0.2.1', proxy: '127.0.0.1' },
    });
    expect(gate.clients.count).toBe(5);
  });

  it('answer HTTP with 503 for a client that has as many silent connections as it may', async () => {
    await open({ perAddress: 2, exempt: (address) => address.startsWith('127.') });
    for (const last of [1, 1]) {
      const client = await gate.connect();
      client.write(from(last, 'POST /open/1 HTTP/1.1\r\n\r\n'));
      expect(await next(client)).toBe('http');
    }
    const third = await gate.connect();
    third.write(from(1, 'POST /open/1 HTTP/1.1\r\n\r\n'));
    expect(await everything(third)).toMatch(/^HTTP\/1\.1 503 /);
    const other = await gate.connect();
    other.write(from(2, 'POST /open/1 HTTP/1.1\r\n\r\n'));
    expect(await next(other)).toBe('http');
    gate.http[0]?.peer.validRequest();
    const again = await gate.connect();
    again.write(from(1, 'POST /open/1 HTTP/1.1\r\n\r\n'));
    expect(await next(again)).toBe('http');
  });

  it('close unseen what not even a refusal has room for, and give every place back', async () => {
    await open({ perAddress: 1, maxSockets: 10, exempt: (address) => address.startsWith('127.') });
    const clients = [];
    for (let i = 0; i < 4; i += 1) {
      const client = await gate.connect();
      client.write(from(1, ''));
      clients.push(client);
      if (i >= 2) await closed(client);
    }
    expect(gate.hints()).toEqual(Array(2).fill('too many connections: closed unseen'));
    for (const client of clients) client.destroy();
    await gate.emptied();
    expect([gate.sockets.count, gate.newcomers.count]).toEqual([0, 0]);
    const later = await gate.connect();
    later.write(from(1, '\x03'));
    expect(await next(later)).toBe('rtmp');
  });

  it('count an IPv6 client by its network', async () => {
    await open({ perAddress: 1, exempt: (address) => address.startsWith('127.') });
    for (const [address, answer] of [
      ['2001:db8::1', 'rtmp'],
      ['2001:DB8:0:0:9::1', ''],
      ['2001:db8:0:1::1', 'rtmp'],
    ] as const) {
      const client = await gate.connect();
      client.write(`PROXY TCP6 ${address} ::1 1 2\r\n\x03`);
      expect(answer === '' ? await everything(client) : await next(client)).toBe(answer);
    }
  });
});
