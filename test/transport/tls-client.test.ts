import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.ts';
import { connectTls } from '../../src/transport/tls-client.ts';
import { makeTestCertificate } from '../support/certificate.ts';
import type { TestCertificate } from '../support/certificate.ts';

const never = new AbortController().signal;
let certificate: TestCertificate;
let server: tls.Server;
let port: number;

beforeAll(async () => {
  certificate = await makeTestCertificate();
  server = tls.createServer(certificate);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('a TLS connection of ours', () => {
  it('names the server it wants, in lower case or not', async () => {
    const accepted = once(server, 'secureConnection');
    const socket = await connectTls({ host: 'localhost', port }, { ca: [certificate.cert] }, never);
    const [peer] = (await accepted) as [tls.TLSSocket & { servername: string | false }];
    expect(peer.servername).toBe('localhost');
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  it('names none when it is an address, and checks the certificate against that address', async () => {
    const accepted = once(server, 'secureConnection');
    const socket = await connectTls({ host: '127.0.0.1', port }, { ca: [certificate.cert] }, never);
    const [peer] = (await accepted) as [tls.TLSSocket & { servername: string | false }];
    expect(peer.servername).toBe(false);
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  it('fails on a certificate that nobody signed', async () => {
    const error = await connectTls({ host: 'localhost', port }, {}, never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ code: 'TLS_FAILED', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
  });

  it('names another name, and wants the certificate to have it, when told to', async () => {
    const accepted = once(server, 'secureConnection');
    const options = { ca: [certificate.cert], serverName: 'localhost' };
    const other = await connectTls({ host: '127.0.0.1', port }, options, never);
    const [peer] = (await accepted) as [tls.TLSSocket & { servername: string | false }];
    expect(peer.servername).toBe('localhost');
    other.destroy();
    const wrong = await connectTls(
      { host: 'localhost', port },
      { ...options, serverName: 'other.example' },
      never,
    ).catch((reason: unknown) => reason);
    expect(wrong).toMatchObject({
      code: 'TLS_FAILED',
      message: `no TLS connection to localhost port ${port}: its certificate is for localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1 and not for other.example; say the right name with serverName`,
    });
  });

  it('looks for another address in the certificate when told to, and names none', async () => {
    const accepted = once(server, 'secureConnection');
    const options = { ca: [certificate.cert], serverName: '::1' };
    const socket = await connectTls({ host: 'localhost', port }, options, never);
    const [peer] = (await accepted) as [tls.TLSSocket & { servername: string | false }];
    expect(peer.servername).toBe(false);
    socket.destroy();
    const wrong = connectTls({ host: 'localhost', port }, { ...options, serverName: '192.0.2.1' }, never);
    await expect(wrong).rejects.toThrow('and not for 192.0.2.1');
  });

  it('says in words why it fails', async () => {
    const error = await connectTls({ host: 'localhost', port }, {}, never).catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(
      /: its certificate is signed by nobody but itself; name the certificate with ca/,
    );
    const plain = net.createServer((socket) => socket.end('RTMP, or anything')).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const target = { host: '127.0.0.1', port: (plain.address() as AddressInfo).port };
    const other = await connectTls(target, {}, never).catch((reason: unknown) => reason);
    expect((other as Error).message).toMatch(/: what answers there does not speak TLS$/);
    plain.close();
  });

  it('takes it when told to', async () => {
    const accepted = once(server, 'secureConnection');
    const socket = await connectTls({ host: 'localhost', port }, { rejectUnauthorized: false }, never);
    const [peer] = (await accepted) as [tls.TLSSocket];
    socket.write('hello');
    expect(String((await once(peer, 'data'))[0])).toBe('hello');
    peer.end('and bye');
    expect(String((await once(socket, 'data'))[0])).toBe('and bye');
    socket.destroy();
  });

  it.each([
    ['hangs up', (socket: net.Socket) => void socket.destroy()],
    ['ends without a word', (socket: net.Socket) => void socket.end()],
    ['speaks no TLS', (socket: net.Socket) => void socket.end('220 mail.example.com ESMTP\r\n')],
  ])('fails with TransportError when the other side %s', async (_name, habit) => {
    const plain = net.createServer(habit).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const target = { host: '127.0.0.1', port: (plain.address() as AddressInfo).port };
    await expect(connectTls(target, {}, never)).rejects.toMatchObject({ code: 'TLS_FAILED' });
    plain.close();
  });

  it('can be given up while the other side says nothing', async () => {
    const silent = net.createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const abort = new AbortController();
    const accepted = once(silent, 'connection');
    const connecting = connectTls(
      { host: '127.0.0.1', port: (silent.address() as AddressInfo).port },
      {},
      abort.signal,
    );
    connecting.catch(() => {});
    const [peer] = (await accepted) as [net.Socket];
    peer.on('error', () => {});
    abort.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    await once(peer.resume(), 'close');
    silent.close();
  });
});
