import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ProtocolError, TransportError } from '../../../src/errors.ts';
import { ANSWER_DEFAULTS } from '../../../src/transport/rtmpt/answers.ts';
import { Exchange } from '../../../src/transport/rtmpt/exchange.ts';

/** A connection whose other side is the test. */
class FakeConnection extends Duplex {
  readonly written: string[] = [];

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(bytes.toString());
    done();
  }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n';

function setUp(): { exchange: Exchange; connections: FakeConnection[] } {
  const connections: FakeConnection[] = [];
  const dial = async (): Promise<Duplex> => {
    const connection = new FakeConnection();
    connections.push(connection);
    return connection;
  };
  return { exchange: new Exchange(dial, ANSWER_DEFAULTS), connections };
}

/** Lets promises and the stream's own next ticks run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function asked(exchange: Exchange, request: string): Promise<{ answer: Promise<string> }> {
  const answer = exchange.ask(Buffer.from(request)).then(({ body }) => body.toString());
  answer.catch(() => {});
  await turn();
  return { answer };
}

describe('an exchange', () => {
  it('keeps its connection from one request to the next', async () => {
    const { exchange, connections } = setUp();
    for (const request of ['a', 'b', 'c']) {
      const { answer } = await asked(exchange, request);
      expect(exchange.ready).toBe(false);
      connections[0]!.push(`${OK}${request}`);
      expect(await answer).toBe(request);
      expect(exchange.ready).toBe(true);
    }
    expect(connections).toHaveLength(1);
    expect(connections[0]!.written).toEqual(['a', 'b', 'c']);
  });

  it('dials anew after an answer that closes', async () => {
    const { exchange, connections } = setUp();
    const first = await asked(exchange, 'a');
    connections[0]!.push(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1`);
    expect(await first.answer).toBe('1');
    expect(connections[0]!.destroyed).toBe(true);
    const second = await asked(exchange, 'b');
    connections[1]!.push(`${OK}2`);
    expect(await second.answer).toBe('2');
  });

  it('tells that a connection died under its request, and dials anew', async () => {
    const { exchange, connections } = setUp();
    const first = await asked(exchange, 'a');
    connections[0]!.push('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    connections[0]!.push(null);
    await expect(first.answer).rejects.toMatchObject({ code: 'TUNNEL_CONNECTION_LOST' });
    const second = await asked(exchange, 'a');
    connections[1]!.destroy(new Error('reset'));
    await expect(second.answer).rejects.toMatchObject({ code: 'TUNNEL_CONNECTION_LOST', cause: { message: 'reset' } });
    expect(connections).toHaveLength(2);
  });

  it('takes an answer that ends with its connection', async () => {
    const { exchange, connections } = setUp();
    const { answer } = await asked(exchange, 'a');
    connections[0]!.push('HTTP/1.0 200 OK\r\n\r\nto the end');
    connections[0]!.push(null);
    expect(await answer).toBe('to the end');
    expect(exchange.ready).toBe(false);
  });

  it('gives up a connection that answers what nobody asked', async () => {
    const { exchange, connections } = setUp();
    const { answer } = await asked(exchange, 'a');
    connections[0]!.push(`${OK}1`);
    await answer;
    connections[0]!.push('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
    await turn();
    expect(exchange.ready).toBe(false);
    expect(connections[0]!.destroyed).toBe(true);
  });

  it('fails with ProtocolError when what comes back is no HTTP', async () => {
    const { exchange, connections } = setUp();
    const { answer } = await asked(exchange, 'a');
    connections[0]!.push('SSH-2.0-OpenSSH\r\n\r\n');
    await expect(answer).rejects.toBeInstanceOf(ProtocolError);
    expect(connections[0]!.destroyed).toBe(true);
  });

  it('can be dropped while it waits for an answer', async () => {
    const { exchange, connections } = setUp();
    const { answer } = await asked(exchange, 'a');
    exchange.drop(new TransportError('X', 'late'));
    await expect(answer).rejects.toMatchObject({ code: 'X' });
    expect(connections[0]!.destroyed).toBe(true);
  });

  it('can be dropped while it is being dialled, and then keeps nothing', async () => {
    const connection = new FakeConnection();
    let arrive: (connection: Duplex) => void = () => {};
    const exchange = new Exchange(() => new Promise((resolve) => (arrive = resolve)), ANSWER_DEFAULTS);
    const { answer } = await asked(exchange, 'a');
    exchange.drop(new TransportError('X', 'late'));
    arrive(connection);
    await expect(answer).rejects.toMatchObject({ code: 'X' });
    expect(connection.destroyed).toBe(true);
    expect(exchange.ready).toBe(false);
  });
});
