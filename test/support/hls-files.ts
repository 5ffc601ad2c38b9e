import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './programs.ts';
import { codecsOfInit, faultsInCodecs, faultsInMultivariant, faultsInReports, readMultivariant } from './hls-rules.ts';
import { faultsBetween, faultsIn, readMediaPlaylist, type MediaPlaylist } from './hls-validator.ts';

/** Fetches text; throws unless the answer is 200. */
export async function text(url: string): Promise<string> {
  const response = await fetch(url);
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

export async function bytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** What is wrong with a stream as a whole at one moment: all its playlists, and their initialisations. `base`: without `/index.m3u8`. */
export async function faultsOfStream(base: string): Promise<string[]> {
  const multivariant = readMultivariant(await text(`${base}/index.m3u8`));
  const faults = faultsInMultivariant(multivariant);
  const inits = new Map<string, string[]>();
  for (const uri of multivariant.uris) {
    const playlist = readMediaPlaylist(await text(`${base}/${uri}`));
    faults.push(...faultsIn(playlist), ...faultsInReports(uri, multivariant, playlist));
    const newest = playlist.segments.at(-1);
    if (newest !== undefined) inits.set(uri, codecsOfInit(await bytes(`${base}/${newest.init}`)));
  }
  return [...faults, ...faultsInCodecs(multivariant, inits)];
}

/** Follows a media playlist as a low-latency player does, keeps every version, and counts what is wrong with them. */
export class PlaylistReader {
  readonly url: string;
  readonly faults: string[] = [];
  readonly versions: MediaPlaylist[] = [];

  constructor(url: string) {
    this.url = url;
  }

  get latest(): MediaPlaylist {
    return this.versions.at(-1)!;
  }

  async next(): Promise<MediaPlaylist> {
    const former = this.versions.at(-1);
    const playlist = readMediaPlaylist(await text(this.url + (former === undefined ? '' : this.#directives(former))));
    this.faults.push(...faultsIn(playlist), ...(former === undefined ? [] : faultsBetween(former, playlist)));
    this.versions.push(playlist);
    return playlist;
  }

  #directives({ mediaSequence, skipped, segments, tail }: MediaPlaylist): string {
    return `?_HLS_msn=${mediaSequence + skipped + segments.length}&_HLS_part=${tail.length}`;
  }
}

/** What ffprobe finds in an initialisation with media after it; throws when it complains. */
export async function probe(folder: string, init: Buffer, media: Buffer): Promise<ProbedStream[]> {
  const file = join(folder, 'probed.mp4');
  writeFileSync(file, Buffer.concat([init, media]));
  const args = ['-v', 'warning', '-count_packets', '-show_streams', '-of', 'json', file];
  const { stdout, stderr, code } = await run('ffprobe', args).finished;
  if (code !== 0 || stderr !== '') throw new Error(`ffprobe: ${stderr}`);
  return (JSON.parse(stdout.toString()) as { streams: ProbedStream[] }).streams;
}

export interface ProbedStream {
  readonly codec_name: string;
  readonly codec_type: 'audio' | 'video';
  readonly width?: number;
  readonly height?: number;
  readonly nb_read_packets: string;
}

/** What FFmpeg says when it plays HLS, but that it reads the initialisation again with each playlist. */
export function complaints(stderr: string): string {
  return stderr.replaceAll(/.*Found duplicated MOOV Atom. Skipped it\n(?: +Last message repeated \d+ times\n)?/g, '');
}
