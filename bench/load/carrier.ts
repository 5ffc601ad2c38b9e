/** A way for RTMP's bytes to the server and back: a socket, or requests and answers. */
export interface Carrier {
  write(bytes: Buffer): void;
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
