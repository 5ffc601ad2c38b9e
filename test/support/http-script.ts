import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** One HTTP request as a scripted server got it, whole. */
export interface ScriptedRequest {
  readonly method: string;
  readonly target: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Counts connections from 0, so that a script can tell a repetition on a new one. */
  readonly connection: number;
}

export interface ScriptedServer {
  readonly port: number;
  readonly requests: ScriptedRequest[];
  readonly sockets: ReadonlySet<net.Socket>;
  close(): Promise<void>;
}

/** A TCP server that reads whole HTTP requests and leaves every answer, byte for byte, to the script. */
export async function scriptedServer(
  script: (request: ScriptedRequest, socket: net.Socket) => void,
): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    const connection = connections++;
    let unread: Buffer = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      for (let parsed = takeRequest(unread, connection); parsed; parsed = takeRequest(unread, connection)) {
        unread = parsed.rest;
        requests.push(parsed.request);
        script(parsed.request, socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, requests, sockets, close };
}

/** The tunnel's usual answer: length, type, polling byte and payload. */
export function tunnelAnswer(body: Buffer | string, headers: readonly string[] = [], status = '200 OK'): Buffer {
  const bytes = Buffer.from(body as string, 'latin1');
  const head = [`HTTP/1.1 ${status}`, 'Content-Type: application/x-fcs', ...headers, `Content-Length: ${bytes.length}`];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

function takeRequest(bytes: Buffer, connection: number): { request: ScriptedRequest; rest: Buffer } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = new Map(fields.map((field) => splitField(field)));
  const bodyEnd = end + 4 + Number(headers.get('content-length') ?? 0);
  if (bytes.length < bodyEnd) return undefined;
  const [method = '', target = ''] = line.split(' ');
  const request = { method, target, headers, body: bytes.subarray(end + 4, bodyEnd), connection };
  return { request, rest: bytes.subarray(bodyEnd) };
}

function splitField(field: string): [string, string] {
  const colon = field.indexOf(':');
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
}
