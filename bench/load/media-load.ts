import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaJob, MediaReport } from './job.ts';
import { HlsReader } from './hls-reader.ts';
import { Player } from './player.ts';
import { newTally, type Tally } from './tally.ts';
import { Publishers } from './publishers.ts';
import type { Wish } from './rtmp-client.ts';
import { measure } from './window.ts';
import { Crowd } from './crowd.ts';

const APP = 'live';

/** Publishers and their players: brings all up, measures, and takes all down. */
export async function runMediaLoad(job: MediaJob): Promise<MediaReport> {
  const tally = newTally();
  const answers = { all: 0, empty: 0 };
  const stream = (index: number) => `bench-${process.pid}-${index}`;
  const lost = (reason: string) => {
    tally.disconnected += 1;
    tally.reasons.add(reason);
  };
  const publishers = new Publishers({ ...job, target: job.publishers, app: APP, stream, count: job.streams, lost });
  await publishers.start();
  const answered = (empty: boolean) => {
    answers.all += 1;
    if (empty) answers.empty += 1;
  };
  const wishOf = (index: number): Wish => ({
    target: job.players,
    app: APP,
    stream: stream(index % job.streams),
    role: 'play',
    tunnel: { pollMs: job.pollMs, answered },
    ...(job.ownNetStreams && { netStream: 1 + Math.floor(index / job.streams) }),
  });
  const crowd = new Crowd(publishers, job.window);
  const players = await gather(job, wishOf, tally, () => crowd.moved());
  crowd.hurry(players);
  const readers = await watch(job, stream);
  await sleep(job.warmUpSeconds * 1000);
  Object.assign(tally, { messages: 0, bytes: 0, lost: 0, reordered: 0, damaged: 0 });
  Object.assign(answers, { all: 0, empty: 0 });
  tally.delay.clear();
  const before = { messages: publishers.sentMessages, bytes: publishers.sentBytes, parts: partsOf(readers) };
  const finish = measure(job.serverPid);
  await sleep(job.seconds * 1000);
  const report: MediaReport = {
    ...finish(),
    sentMessages: publishers.sentMessages - before.messages,
    sentBytes: publishers.sentBytes - before.bytes,
    receivedMessages: tally.messages,
    receivedBytes: tally.bytes,
    lost: tally.lost,
    reordered: tally.reordered,
    damaged: tally.damaged,
    disconnected: tally.disconnected,
    reasons: [...tally.reasons],
    delayMs: tally.delay.spread(),
    answers: answers.all,
    emptyAnswers: answers.empty,
    hlsParts: partsOf(readers) - before.parts,
  };
  for (const reader of readers) reader.stop();
  crowd.stop();
  for (const player of players) player.client.close();
  publishers.stop();
  return report;
}

/** The players of HLS, where the job has any; resolves when all of them have media. */
async function watch({ hls, streams }: MediaJob, stream: (index: number) => string): Promise<HlsReader[]> {
  if (hls === undefined) return [];
  const players = Array.from({ length: streams * hls.playersPerStream }, (_, index) => index % streams);
  const urls = players.map((index) => `http://127.0.0.1:${hls.port}/hls/${APP}/${stream(index)}/`);
  return Promise.all(urls.map((url) => HlsReader.open(url)));
}

function partsOf(readers: readonly HlsReader[]): number {
  return readers.reduce((sum, { parts }) => sum + parts, 0);
}

/** Starts the players at the job's ramp; resolves when all of them have seen media. */
async function gather(
  job: MediaJob,
  wishOf: (index: number) => Wish,
  tally: Tally,
  moved: () => void,
): Promise<Player[]> {
  const wanted = job.streams * job.playersPerStream;
  const players: Player[] = [];
  let joined = 0;
  for (let index = 0; index < wanted; index++) {
    players.push(new Player(wishOf(index), tally, () => (joined += 1), moved));
    await sleep(1000 / job.ramp);
  }
  while (joined < wanted) {
    if (tally.disconnected > 0) throw new Error(`a client could not join: ${[...tally.reasons].join(', ')}`);
    await sleep(10);
  }
  return players;
}
