import type { Duplex } from 'node:stream';
import { TransportError } from '../errors.ts';
import { Handshake } from '../protocol/index.ts';
import { now, random } from './driver.ts';

/**
 * Resolves when whoever is at the other end shakes hands as an RTMP server does. Rejects with `TransportError` or
 * `ProtocolError` when not, and with the signal's reason. The stream is the caller's to destroy.
 */
export function probeRtmp(stream: Duplex, signal: AbortSignal): Promise<void> {
  const handshake = new Handshake('client', { random });
  const say = (): void => {
    for (const bytes of handshake.takeOutput()) stream.write(bytes);
  };
  return new Promise((resolve, reject) => {
    const heard = (bytes: Buffer): void => {
      try {
        if (handshake.receive(bytes, now()) === undefined) return;
        say();
        settle();
      } catch (fault) {
        settle(fault);
      }
    };
    const ended = (): void =>
      settle(new TransportError('CONNECTION_CLOSED', 'it closed the connection before the handshake was over'));
    const abort = (): void => settle(signal.reason);
    const settle = (fault?: unknown): void => {
      stream.off('data', heard).off('end', ended).off('close', ended);
      signal.removeEventListener('abort', abort);
      if (fault === undefined) resolve();
      else reject(fault as Error);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    stream.on('data', heard).on('end', ended).on('close', ended);
    say();
  });
}
