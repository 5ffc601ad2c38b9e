import { encode } from '../../bench/load/amf.ts';
import { encodeMessage } from '../../bench/load/chunks.ts';
import { CHUNK_SIZE, RtmpClient, type Wish } from '../../bench/load/rtmp-client.ts';
import { openSocket, type Opened } from '../../bench/load/socket.ts';
import { AVC_CONFIGURATION, frameOf } from '../../bench/load/stamp.ts';
import type { Scheme } from '../../src/transport/index.ts';
import { request } from './tunnel-publisher.ts';

/** How a client goes; some go before they ever became one. */
export type Parting = 'politely' | 'reset' | 'mid-message' | 'mid-POST' | 'mid-handshake' | 'mid-TLS' | 'silently';

export interface Visit {
  readonly scheme: Scheme;
  readonly role: 'publish' | 'play';
  readonly parting: Parting;
}

/** The stream that visiting players watch. */
export const WATCHED = { app: 'live', stream: 'watched' } as const;

const SCHEMES: readonly Scheme[] = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts'];
const CHUNKS = { id: 4, size: CHUNK_SIZE };
const PICTURE = encodeMessage(9, 1, 40, frameOf(3_000, true), CHUNKS);
const HALF_PICTURE = PICTURE.subarray(0, 1_000);
/** Record and handshake headers of a ClientHello, and then nothing. */
const HALF_CLIENT_HELLO = Buffer.from('16030100c8010000c40303', 'hex');
/** C0 and less than half of C1. */
const HALF_HANDSHAKE = Buffer.concat([Buffer.from([3]), Buffer.alloc(700)]);

/** Every kind of visit once. */
export const EVERY_VISIT: readonly Visit[] = SCHEMES.flatMap((scheme) =>
  (['publish', 'play'] as const).flatMap((role) => partingsOf(scheme).map((parting) => ({ scheme, role, parting }))),
);

function partingsOf(scheme: Scheme): Parting[] {
  const partings: Parting[] = ['politely', 'reset', 'mid-message', 'mid-handshake', 'silently'];
  if (isTunnelled(scheme)) partings.push('mid-POST');
  if (isSecure(scheme)) partings.push('mid-TLS');
  return partings;
}

/**
 * Comes, does what its role does, goes; resolves when its socket is closed: true if it was the visitor who chose to go.
 * `stream` is what it publishes or plays.
 */
export function visit({ scheme, role, parting }: Visit, port: number, stream: string): Promise<boolean> {
  switch (parting) {
    case 'mid-TLS':
      return leaveEarly(port, false, HALF_CLIENT_HELLO);
    case 'silently':
      return leaveEarly(port, isSecure(scheme));
    case 'mid-handshake':
      if (isTunnelled(scheme)) return leaveOpenedTunnel(port, isSecure(scheme));
      return leaveEarly(port, isSecure(scheme), HALF_HANDSHAKE);
    default: {
      const target = { transport: scheme, port };
      const wish = { target, app: WATCHED.app, stream, role, tunnel: { pollMs: 5, answered: () => {} } };
      return stay(wish, (client) => depart(client, parting));
    }
  }
}

/** A publisher leaves after its first picture, a player when it has seen one. */
function stay(wish: Wish, leave: (client: RtmpClient) => void): Promise<boolean> {
  return new Promise((resolve) => {
    let leaving = false;
    const leaveOnce = () => {
      if (!leaving) leave(client);
      leaving = true;
    };
    const client: RtmpClient = new RtmpClient(wish, {
      ready: () => wish.role === 'publish' && publishThen(client, leaveOnce),
      media: leaveOnce,
      lost: () => {},
    });
    client.carrier.sockets.tcp.once('close', () => resolve(leaving));
  });
}

function publishThen(client: RtmpClient, leave: () => void): void {
  client.write(encodeMessage(9, client.streamId, 0, AVC_CONFIGURATION, CHUNKS));
  client.write(PICTURE);
  setImmediate(leave);
}

function depart(client: RtmpClient, parting: Parting): void {
  const { tcp } = client.carrier.sockets;
  switch (parting) {
    case 'politely':
      client.write(encodeMessage(20, 0, 0, encode('deleteStream', 4, null, client.streamId), CHUNKS));
      return client.close();
    case 'mid-message':
      return client.carrier.breakOff(HALF_PICTURE, HALF_PICTURE.length, () => tcp.destroy());
    case 'mid-POST':
      return client.carrier.breakOff(PICTURE, HALF_PICTURE.length, () => tcp.resetAndDestroy());
    default:
      tcp.resetAndDestroy();
  }
}

function leaveEarly(port: number, secure: boolean, words?: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    let came = false;
    const opened: Opened = openSocket(port, secure, {
      opened: () => {
        came = true;
        if (words === undefined) opened.stream.destroy();
        else opened.stream.write(words, () => opened.stream.destroy());
      },
      read: () => {},
      closed: () => resolve(came),
    });
  });
}

/** Opens a tunnel, sends part of a handshake through it, and is gone without `/close`. */
function leaveOpenedTunnel(port: number, secure: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    let hasId = false;
    const opened: Opened = openSocket(port, secure, {
      opened: () => opened.stream.write(request('/open/1', Buffer.alloc(1))),
      read: (bytes, start, end) => {
        const id = /\r\n\r\n(\w+)\n/.exec(bytes.toString('latin1', start, end))?.[1];
        hasId = id !== undefined;
        opened.stream.write(request(`/send/${id}/0`, HALF_HANDSHAKE), () => opened.stream.destroy());
      },
      closed: () => resolve(hasId),
    });
  });
}

function isTunnelled(scheme: Scheme): boolean {
  return scheme.startsWith('rtmpt');
}

function isSecure(scheme: Scheme): boolean {
  return scheme.endsWith('s');
}
