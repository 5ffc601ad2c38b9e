import { once } from 'node:events';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One connection that speaks HTTP/2 and nothing else, all requests beside each other. Any certificate will do. */
export class Http2Client {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  static async connect(origin: string): Promise<Http2Client> {
    const session = connect(origin, { rejectUnauthorized: false });
    await once(session, 'connect');
    return new Http2Client(session);
  }

  /** Media is told apart by its bytes as Latin-1. */
  async get(path: string): Promise<Http2Answer> {
    const request = this.#session.request({ ':path': path });
    const [headers] = (await once(request, 'response')) as [IncomingHttpHeaders & { ':status': number }];
    return { status: headers[':status'], headers, body: await text(request.setEncoding('latin1')) };
  }

  async close(): Promise<void> {
    const closed = once(this.#session, 'close');
    this.#session.destroy();
    await closed;
  }
}
