import type { Opened } from './socket.ts';

/** A way for RTMP's bytes to the server and back: a socket, or requests and answers. */
export interface Carrier {
  /** For tests that leave rudely. */
  readonly sockets: Opened;
  write(bytes: Buffer): void;
  /** Writes no more than the first `part` bytes of what was begun, and is called no more: for tests that leave rudely. */
  breakOff(bytes: Buffer, part: number, written: () => void): void;
  close(): void;
}

/** What a carrier tells. Bytes given to `read` are only valid during the call: all sockets read into one buffer. */
export interface CarrierEvents {
  opened(): void;
  read(bytes: Buffer, start: number, end: number): void;
  closed(reason: string): void;
}

/** Where to dial. */
export interface Target {
  readonly transport: 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts';
  readonly port: number;
}
