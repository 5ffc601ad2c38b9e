import dns from 'node:dns';
import net from 'node:net';
import { TransportError } from '../errors.ts';
import { HttpConnect } from './http-connect.ts';
import type { Negotiation } from './negotiation.ts';
import { plainReason } from './plain-reason.ts';
import type { ProxyServer } from './proxy-server.ts';
import { Socks5 } from './socks5.ts';
import { connectTcp, type Target } from './tcp.ts';
import { connectTls, type TlsClientOptions } from './tls-client.ts';

/**
 * Connects to `target` through `proxy`: what comes back is as good as a connection of our own. Rejects with `RemoteError`
 * (PROXY_AUTHENTICATION, PROXY_REFUSED), with `TransportError` (PROXY_FAILED, PROXY_BAD_ANSWER, CONNECT_FAILED or TLS_FAILED
 * on the way to the proxy itself) or the signal's reason.
 */
export async function connectThrough(
  proxy: ProxyServer,
  target: Target,
  tls: TlsClientOptions,
  signal: AbortSignal,
): Promise<net.Socket> {
  const wanted = proxy.scheme === 'socks5' ? await lookedUp(target, signal) : target;
  const socket = await reachProxy(proxy, tls, signal);
  const isHttp = proxy.scheme === 'http' || proxy.scheme === 'https';
  await negotiate(socket, isHttp ? new HttpConnect(proxy, wanted) : new Socks5(proxy, wanted), proxy, signal);
  return socket;
}

/**
 * Connects to the proxy itself. Its own certificate is always checked, whatever is said of the server behind it: its
 * password is at stake.
 */
export async function reachProxy(
  proxy: ProxyServer,
  { ca }: TlsClientOptions,
  signal: AbortSignal,
): Promise<net.Socket> {
  try {
    return await (proxy.scheme === 'https' ? connectTls(proxy, ca ? { ca } : {}, signal) : connectTcp(proxy, signal));
  } catch (error) {
    if (!(error instanceof TransportError) || signal.aborted) throw error;
    throw new TransportError(error.code, `the proxy cannot be reached: ${error.message}`, { cause: error.cause });
  }
}

/** Nobody can stop a resolver that hangs: it is left to itself when the signal speaks. */
function lookedUp({ host, port }: Target, signal: AbortSignal): Promise<Target> {
  if (net.isIP(host) !== 0) return Promise.resolve({ host, port });
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    dns.lookup(host, (cause, address) => {
      signal.removeEventListener('abort', abort);
      if (cause === null) return resolve({ host: address, port });
      reject(new TransportError('CONNECT_FAILED', `${host} cannot be looked up: ${plainReason(cause)}`, { cause }));
    });
  });
}

/** Talks until the way is open; a socket on which that fails is destroyed. */
function negotiate(socket: net.Socket, talk: Negotiation, { shown }: ProxyServer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      signal.removeEventListener('abort', abort);
      socket.off('readable', hear).off('end', ended).off('close', ended);
      if (error === undefined) socket.off('error', failed);
      if (error === undefined) return resolve();
      // The error listener stays: a socket may fail once more while it is being destroyed.
      socket.destroy();
      reject(error);
    };
    const hear = (): void => {
      try {
        for (let bytes = socket.read() as Buffer | null; bytes !== null; bytes = socket.read() as Buffer | null) {
          const said = talk.receive(bytes);
          if (said === 'open') return settle();
          if (said !== undefined) socket.write(said);
        }
      } catch (error) {
        settle(error);
      }
    };
    const lost = (why: string, cause?: Error): void =>
      settle(new TransportError('PROXY_FAILED', `the proxy ${shown} ${why}`, { cause }));
    const ended = (): void => lost('closed the connection without an answer');
    const failed = (cause: Error): void => lost(`was lost: ${plainReason(cause)}`, cause);
    const abort = (): void => settle(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.on('readable', hear).on('end', ended).on('close', ended).on('error', failed);
    socket.write(talk.opening);
  });
}
