import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.ts';
import { connectTcp, reasonOf } from '../../src/transport/tcp.ts';

const never = new AbortController().signal;

async function listening(): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('a TCP connection of ours', () => {
  it('still hears the other side after ending its own', async () => {
    const { server, port } = await listening();
    server.once('connection', (socket) => socket.resume().once('end', () => socket.end('bye')));
    const socket = await connectTcp({ host: '127.0.0.1', port }, never);
    socket.end('x');
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toBe('bye');
    server.close();
  });

  it('may still speak after the other side has ended', async () => {
    const { server, port } = await listening();
    const heard = once(server, 'connection').then(async ([socket]) => {
      socket.end();
      return String((await once(socket, 'data'))[0]);
    });
    const socket = await connectTcp({ host: '127.0.0.1', port }, never);
    await once(socket.resume(), 'end');
    socket.end('after the end');
    expect(await heard).toBe('after the end');
    server.close();
  });

  it('fails with TransportError where nobody listens', async () => {
    const { server, port } = await listening();
    await once(server.close(), 'close');
    const error = await connectTcp({ host: '127.0.0.1', port }, never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } });
  });

  it('is given up with the reason of whoever gave up, before or while it connects', async () => {
    const { server, port } = await listening();
    const abort = new AbortController();
    const connecting = connectTcp({ host: '127.0.0.1', port }, abort.signal);
    abort.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    await expect(connectTcp({ host: '127.0.0.1', port }, abort.signal)).rejects.toThrow('enough');
    await once(server.close(), 'close');
  });

  it('is no longer the business of the signal once it stands', async () => {
    const { server, port } = await listening();
    const accepted = once(server, 'connection');
    const abort = new AbortController();
    const socket = await connectTcp({ host: '127.0.0.1', port }, abort.signal);
    abort.abort();
    const [peer] = await accepted;
    peer.end('still here');
    expect(String((await once(socket, 'data'))[0])).toBe('still here');
    socket.destroy();
    server.close();
  });
});

describe('the reason of a failure', () => {
  it('names each address that was tried', () => {
    const both = new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')]);
    expect(reasonOf(both)).toBe('refused by ::1, refused by 127.0.0.1');
    expect(reasonOf(new Error('plain'))).toBe('plain');
  });
});
