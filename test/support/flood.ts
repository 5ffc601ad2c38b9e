import { decode } from '../../bench/load/amf.ts';
import { ChunkCounter } from '../../bench/load/chunks.ts';
import { TunnelPublisher, type Answer } from './tunnel-publisher.ts';
import { watch, type Watcher } from './watcher.ts';

const APP = 'live';
const STREAM = 'flood';
const HANDSHAKE_BYTES = 1 + 1536 + 1536;
const PICTURE_BYTES = 200;
/** Less than a player's queue holds. */
const PACE = 1_000;

export interface FloodOptions {
  readonly ports: { readonly rtmp: number; readonly http: number };
  readonly sends: number;
  readonly until: (condition: () => boolean, limitMs?: number) => Promise<void>;
}

export interface FloodResult {
  /** What a player over plain RTMP counted. */
  readonly received: Pick<Watcher['tally'], 'messages' | 'lost' | 'reordered' | 'damaged'>;
  readonly requests: number;
  readonly answers: number;
  /** Each status that occurred, once. */
  readonly statuses: readonly number[];
  /** The commands that the answers' bytes make, put together in the order in which they came. */
  readonly replies: readonly string[];
}

/** Publishes with pipelined sends, reads nothing until every one has reached a player, then reads all answers. */
export async function floodUnread({ ports, sends, until }: FloodOptions): Promise<FloodResult> {
  const watcher = watch(ports.rtmp, APP, STREAM);
  const publisher = await TunnelPublisher.start(ports.http, APP, STREAM);
  const { connection } = publisher;
  await publisher.send(publisher.picture(PICTURE_BYTES));
  await until(() => watcher.tally.messages === 1);
  connection.socket.pause();
  for (let index = 1; index < sends; index++) {
    // The player lives in this process too; one that lags is cut short, which is right but not the matter here.
    if (index % PACE === 0) await until(() => index - watcher.tally.messages < PACE);
    await publisher.send(publisher.picture(PICTURE_BYTES));
  }
  await until(() => watcher.tally.messages + watcher.tally.lost >= sends, 60_000);
  const { messages, lost, reordered, damaged } = watcher.tally;
  connection.socket.resume();
  await connection.answered(publisher.next + 1);
  await connection.post(publisher.closePath, Buffer.alloc(1));
  const requests = publisher.next + 2;
  await connection.answered(requests);
  connection.socket.destroy();
  watcher.close();
  const { answers } = connection;
  const statuses = [...new Set(answers.map(({ status }) => status))];
  return {
    received: { messages, lost, reordered, damaged },
    requests,
    answers: answers.length,
    statuses,
    replies: repliesOf(answers),
  };
}

/** Reads what stands behind the polling bytes as one RTMP stream; it only parses when no answer is out of place. */
function repliesOf(answers: readonly Answer[]): string[] {
  const commands: string[] = [];
  const chunks: ChunkCounter = new ChunkCounter(({ type, body }) => {
    if (type === 1) chunks.chunkSize = body.readUInt32BE(0);
    if (type === 20) commands.push(decode(body)[0] as string);
  });
  const [, ...tunnelled] = answers;
  const bytes = Buffer.concat(tunnelled.map(({ body }) => body.subarray(1)));
  chunks.read(bytes, HANDSHAKE_BYTES, bytes.length);
  return commands;
}
