import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { NO_LOG } from '../../src/log.ts';
import { Door, DOOR_LIMITS } from '../../src/transport/index.ts';
import { recordClientHello } from '../support/client-hello.ts';
import { cuts } from '../support/feed.ts';
import { seeded } from '../support/random.ts';
import { testCertificates, type TestCertificates } from '../support/test-certificates.ts';
import { closed, everything, next, openTestDoor, type TestDoor, type TestDoorOptions } from '../support/test-door.ts';

let certificates: TestCertificates;
let gate: TestDoor;

beforeAll(async () => {
  certificates = await testCertificates(['localhost']);
});
afterEach(() => gate.close());

async function open(options: TestDoorOptions = {}): Promise<TestDoor> {
  gate = await openTestDoor({ certificates, ...options });
  return gate;
}

describe('one port for everything (must-do 20, 23)', () => {
  it.each([
    ['RTMP', '\x03rest', 'rtmp'],
    ['RTMPE', '\x06rest', 'rtmp'],
    ['HTTP', 'POST /open/1 HTTP/1.1\r\n\r\n', 'http'],
    ['HTTP after an empty line', '\r\nGET / HTTP/1.1\r\n\r\n', 'http'],
  ])('hands over %s with every byte, plain and inside TLS, its first byte alone included', async (_, bytes, to) => {
    await open();
    for (const client of [await gate.connect(), await gate.secure()]) {
      client.write(bytes.slice(0, 1), 'latin1');
      // A whole conversation on another connection: the door has seen the first byte by then.
      const other = await gate.connect();
      other.write('\x03other');
      await next(other);
      client.write(bytes.slice(1), 'latin1');
      expect(await next(client)).toBe(to);
      client.end();
      await closed(client);
    }
    const taken = to === 'rtmp' ? gate.rtmp : gate.http;
    expect(taken.map(({ received }) => received()).filter((text) => !text.endsWith('other'))).toEqual([bytes, bytes]);
    expect(gate.hints()).toEqual([]);
  });

  it('tells handlers who is there', async () => {
    await open({ host: '::' });
    const plain = await gate.connect();
    plain.write('\x03');
    await next(plain);
    const secure = await gate.secure();
    secure.write('GET / HTTP/1.1\r\n\r\n');
    await next(secure);
    const [first] = gate.rtmp;
    const [second] = gate.http;
    const address = { address: '127.0.0.1', id: expect.stringMatching(/^c-\w{4}$/) };
    expect(first?.peer).toEqual({ ...address, scheme: 'rtmp', secure: false, port: plain.localPort });
    const allowed = { trusted: true, tunnel: true, web: true, validRequest: expect.any(Function) };
    expect(second?.peer).toEqual({ ...address, ...allowed, secure: true, port: secure.localPort });
    expect(first?.peer.id).not.toBe(second?.peer.id);
  });

  it('calls an RTMP connection that came inside TLS rtmps', async () => {
    await open();
    const client = await gate.secure();
    client.write('\x03');
    await next(client);
    expect(gate.rtmp[0]?.peer).toMatchObject({ scheme: 'rtmps', secure: true });
    expect([gate.newcomers.count, gate.clients.count, gate.sockets.count]).toEqual([0, 1, 1]);
  });

  it('keeps the way back open for a client that has ended its side', async () => {
    const onHttp = (socket: Socket): void => {
      socket.on('end', () => void setImmediate().then(() => socket.end('late'))).resume();
    };
    await open({ onHttp });
    for (const client of [await gate.connect(), await gate.secure()]) {
      client.end('GET / HTTP/1.0\r\n\r\n');
      expect(await everything(client)).toBe('late');
    }
  });

  it("hands sockets over in a state that Node's HTTP server can take over (must-do 21)", async () => {
    const web = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(`${request.method} ${request.url} ${body}`));
    });
    const onHttp = (socket: Socket): void => {
      web.emit('connection', socket);
      socket.resume();
    };
    await open({ onHttp });
    const request = 'POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody';
    for (const client of [await gate.connect(), await gate.secure()]) {
      for (const piece of cuts(Buffer.from(request), seeded(3))) {
        client.write(piece);
        await setImmediate();
      }
      expect(await everything(client)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nPOST \/a body$/);
    }
  });

  it('hands a pause of any length between later bytes to the handler, in order', async () => {
    await open();
    const client = await gate.secure();
    client.write('\x03one');
    await next(client);
    client.write('two');
    client.end('three');
    await closed(client);
    expect(gate.rtmp[0]?.received()).toBe('\x03onetwothree');
  });
});

describe('what a door does not serve', () => {
  it('names TLS on a port for RTMP in one line (must-do 22)', async () => {
    await open({ protocols: ['rtmp'] });
    const client = await gate.connect();
    client.write(await recordClientHello({}));
    expect(await everything(client)).toBe('');
    expect(gate.hints()).toEqual(['client speaks TLS on a port that allows only RTMP']);
    const fields = { address: '127.0.0.1', port: client.localPort ?? expect.any(Number) };
    expect(gate.lines[0]).toMatchObject({ level: 'info', fields: { ...fields, port: expect.any(Number) } });
  });

  it('answers HTTP on a port for RTMP with 400 and names it (must-do 22)', async () => {
    await open({ protocols: ['rtmp', 'rtmps'] });
    const client = await gate.connect();
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await everything(client)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Length: 0\r\n/);
    expect(gate.hints()).toEqual(['client speaks HTTP on a port that allows only RTMP and RTMPS']);
  });

  it('says which of tunnel and pages an HTTP client may ask for', async () => {
    await open({ protocols: ['rtmpts', 'rtmps', 'web'] });
    for (const client of [await gate.connect(), await gate.secure()]) {
      client.write('GET / HTTP/1.1\r\n\r\n');
      await next(client);
    }
    expect(gate.http.map(({ peer: { tunnel, web } }) => ({ tunnel, web }))).toEqual([
      { tunnel: false, web: true },
      { tunnel: true, web: true },
    ]);
  });

  it('closes an unknown first byte without a reply and names it (must-do 20)', async () => {
    await open();
    for (const bytes of ['\x00\x01\x02\x03', 'SSH-2.0-OpenSSH\r\n', '\x05\x01\x00']) {
      const client = await gate.connect();
      client.write(bytes, 'latin1');
      expect(await everything(client)).toBe('');
    }
    expect(gate.hints()).toHaveLength(3);
    expect(gate.hints()[1]).toMatch(/^client speaks SSH on a port/);
  });

  it('does not let a flood of bad clients flood the log', async () => {
    await open({ protocols: ['rtmp'] });
    for (let i = 0; i < 50; i += 1) {
      const client = await gate.connect();
      client.end('GET / HTTP/1.1\r\n\r\n');
      await closed(client);
    }
    expect(gate.hints()).toHaveLength(5);
  });

  it('refuses TLS when there is no certificate, and says so', async () => {
    gate = await openTestDoor();
    const client = await gate.connect();
    client.write(await recordClientHello({}));
    await closed(client);
    expect(gate.hints()).toEqual(['client speaks TLS, but there is no certificate to answer with']);
  });
});

describe('clients that say nothing', () => {
  it('closes a silent one at the deadline without a word (must-do 20)', async () => {
    await open({ limits: { sniffMs: 30 } });
    const clients = [await gate.connect(), await gate.connect(), await gate.secure()];
    clients[1]?.write('P');
    await Promise.all(clients.map(everything));
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
    expect(gate.lines.filter(({ message }) => message.includes('in time'))).toHaveLength(3);
  });

  it('takes a thousand open-close probes quietly and keeps nothing of them (must-do 19)', async () => {
    await open();
    for (let round = 0; round < 10; round += 1) {
      const probes = await Promise.all(Array.from({ length: 100 }, () => gate.connect()));
      for (const probe of probes) probe.end();
      await Promise.all(probes.map(closed));
    }
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
    expect([gate.sockets.count, gate.newcomers.count, gate.clients.count]).toEqual([0, 0, 0]);
  });

  it.each([
    ['before its first byte', ''],
    ['within the first bytes', 'PO'],
    ['within its ClientHello', '\x16\x03\x01\x02\x00\x01'],
  ])('bears a reset %s', async (_, bytes) => {
    await open();
    const client = await gate.connect();
    client.write(bytes, 'latin1');
    const other = await gate.connect();
    other.write('\x03');
    await next(other);
    client.resetAndDestroy();
    other.write('more');
    other.end();
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
  });
});

describe('resets after the hand-over', () => {
  it.each(['plain', 'inside TLS'])('do no harm though nobody listens for errors, %s', async (how) => {
    await open();
    const raw = await gate.connect();
    const client = how === 'plain' ? raw : connectTls({ socket: raw, rejectUnauthorized: false });
    client.on('error', () => {});
    client.write('\x03');
    await next(client);
    raw.resetAndDestroy();
    await gate.emptied();
    expect(gate.rtmp[0]?.stream.errored).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('limits', () => {
  it('serves as many RTMP clients of one address as allowed and closes one more', async () => {
    await open({ perAddress: 2 });
    const clients = [];
    for (let i = 0; i < 3; i += 1) {
      const client = await gate.connect();
      client.write('\x03');
      clients.push(client);
      if (i < 2) await next(client);
      else expect(await everything(client)).toBe('');
    }
    expect(gate.hints()).toEqual(['too many connections, in all or from this address: client turned away']);
    clients[0]?.end();
    await closed(clients[0]!);
    while (gate.clients.count === 2) await setImmediate();
    const again = await gate.connect();
    again.write('\x03');
    expect(await next(again)).toBe('rtmp');
  });

  it('answers an HTTP client over the limit with 503, plain and inside TLS', async () => {
    await open({ perAddress: 1 });
    await gate.connect();
    const plain = await gate.connect();
    plain.write('POST /open/1 HTTP/1.1\r\nContent-Length: 1\r\n\r\n\0');
    expect(await everything(plain)).toMatch(/^HTTP\/1\.1 503 .*\r\nContent-Length: 0\r\n/);
    const secure = await gate.secure();
    secure.write('POST /open/1 HTTP/1.1\r\nContent-Length: 1\r\n\r\n\0');
    expect(await everything(secure)).toMatch(/^HTTP\/1\.1 503 /);
    expect(gate.http).toEqual([]);
  });

  it('looks at a tenth more than allowed, shortly, and closes the rest unseen', async () => {
    await open({ maxSockets: 10, limits: { overLimitMs: 40 } });
    const inside = await Promise.all(Array.from({ length: 10 }, () => gate.connect()));
    const reserve = await gate.connect();
    const beyond = await gate.connect();
    await closed(beyond);
    expect(reserve.closed).toBe(false);
    await closed(reserve);
    expect(inside.every((client) => !client.closed)).toBe(true);
    expect(gate.hints()).toEqual(['too many connections: closed unseen']);
  });

  it('stops counting an HTTP connection towards its address once it has made a valid request', async () => {
    await open({ perAddress: 1 });
    const first = await gate.connect();
    first.write('GET / HTTP/1.1\r\n\r\n');
    await next(first);
    expect(gate.newcomers.count).toBe(1);
    gate.http[0]?.peer.validRequest();
    gate.http[0]?.peer.validRequest();
    expect(gate.newcomers.count).toBe(0);
  });

  it('does not count what comes from exempt addresses', async () => {
    await open({ perAddress: 1, exempt: true });
    for (let i = 0; i < 3; i += 1) {
      const client = await gate.connect();
      client.write('\x03');
      expect(await next(client)).toBe('rtmp');
    }
  });

  it('lets the oldest silent connection go when too many are undecided', async () => {
    await open({ limits: { maxUndecided: 3 } });
    const silent = [];
    for (let i = 0; i < 3; i += 1) silent.push(await gate.connect());
    const client = await gate.connect();
    client.write('\x03');
    expect(await next(client)).toBe('rtmp');
    await closed(silent[0]!);
    expect(silent.slice(1).every((socket) => !socket.closed)).toBe(true);
  });

  it('lets one that makes progress stay rather than one that does not', async () => {
    await open({ limits: { maxUndecided: 3 } });
    const first = await gate.connect();
    const second = await gate.connect();
    const hello = await recordClientHello({ servername: 'localhost' });
    first.write(hello.subarray(0, 100));
    const other = await gate.connect();
    other.write('\x03');
    await next(other);
    const latest = [await gate.connect(), await gate.connect()];
    await closed(second);
    first.write(hello.subarray(100));
    expect((await next(first)).charCodeAt(0)).toBe(0x16);
    expect(latest.some((client) => client.closed)).toBe(false);
  });

  it('has the time-outs that were decided on', () => {
    expect(DOOR_LIMITS).toMatchObject({ sniffMs: 5_000, tlsMs: 10_000, overLimitMs: 1_000 });
    gate = { close() {} } as unknown as TestDoor;
  });
});

describe('a door as a whole', () => {
  it('ends one connection, not the process, when a handler throws', async () => {
    await open({
      onRtmp: () => {
        throw new TypeError('a bug');
      },
    });
    const client = await gate.connect();
    client.write('\x03');
    expect(await everything(client)).toBe('');
    expect(gate.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'a connection handler failed', fields: { err: expect.any(TypeError) } },
    ]);
  });

  it('goes on serving after it stopped accepting', async () => {
    await open();
    const client = await gate.connect();
    client.write('\x03');
    await next(client);
    await gate.door.stopAccepting();
    await expect(gate.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.end('more');
    await closed(client);
    expect(gate.rtmp[0]?.received()).toBe('\x03more');
    await gate.door.stopAccepting();
  });

  it('closes everything when destroyed, handed over or not, and gives every place back', async () => {
    await open();
    const clients = [await gate.connect(), await gate.connect(), await gate.secure(), await gate.connect()];
    for (const client of clients.slice(1, 3)) {
      client.write('\x03');
      await next(client);
    }
    clients[3]?.write(await recordClientHello({}));
    gate.door.destroy();
    await Promise.all(clients.map(closed));
    gate.door.destroy();
    await gate.emptied();
    expect([gate.sockets.count, gate.newcomers.count, gate.clients.count]).toEqual([0, 0, 0]);
  });

  it('says in plain words that a port is taken', async () => {
    await open();
    const second = new Door(
      { host: '127.0.0.1', port: gate.port },
      {
        ...gate,
        rtmp: () => {},
        http: () => {},
        certificates: undefined,
        trusted: () => false,
        log: NO_LOG,
      },
    );
    const failure = await second.listen().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(String(failure)).toContain(`cannot listen on 127.0.0.1 port ${gate.port}: listen EADDRINUSE`);
    second.destroy();
  });
});
