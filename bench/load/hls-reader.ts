const MASTER = 'index.m3u8';

/** What comes next in a playlist of low-latency HLS, and what there is. */
export interface PlaylistState {
  /** Names of the parts, oldest first. */
  readonly parts: readonly string[];
  /** Of the segment and the part that are not there yet. */
  readonly nextSegment: number;
  readonly nextPart: number;
}

/** Reads as much of a media playlist as a player needs to follow it (RFC 8216bis, 4.4.4.9 and 6.2.5.2). */
export function readPlaylist(text: string): PlaylistState {
  const parts: string[] = [];
  let [nextSegment, nextPart] = [Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0), 0];
  for (const line of text.split('\n')) {
    const name = /^#EXT-X-PART:.*URI="([^"]+)"/.exec(line)?.[1];
    if (name !== undefined) {
      parts.push(name);
      nextPart++;
    }
    if (!line.startsWith('#EXTINF')) continue;
    nextSegment++;
    nextPart = 0;
  }
  return { parts, nextSegment, nextPart };
}

/** Follows the first playlist of one stream as players of low-latency HLS do: asks for the next part's playlist, then for the part. */
export class HlsReader {
  parts = 0;
  readonly #base: string;
  readonly #abort = new AbortController();

  private constructor(base: string) {
    this.#base = base;
  }

  /** `base`: a stream's address, with a slash at its end. Resolves with the first part. */
  static async open(base: string): Promise<HlsReader> {
    const reader = new HlsReader(base);
    const master = await reader.#text(MASTER);
    const name = master.split('\n').find((line) => line !== '' && !line.startsWith('#'))!;
    const last = readPlaylist(await reader.#text(name));
    await reader.#fetch(last.parts.at(-1)!);
    void reader.#follow(name, last).catch((error: unknown) => {
      if (!reader.#abort.signal.aborted) throw error;
    });
    return reader;
  }

  stop(): void {
    this.#abort.abort();
  }

  async #follow(name: string, from: PlaylistState): Promise<void> {
    let state = from;
    const seen = new Set(state.parts);
    while (!this.#abort.signal.aborted) {
      state = readPlaylist(await this.#text(`${name}?_HLS_msn=${state.nextSegment}&_HLS_part=${state.nextPart}`));
      for (const part of state.parts) {
        if (seen.has(part)) continue;
        seen.add(part);
        await this.#fetch(part);
        this.parts++;
      }
    }
  }

  async #text(name: string): Promise<string> {
    return (await this.#fetch(name)).toString();
  }

  async #fetch(name: string): Promise<Buffer> {
    const response = await fetch(this.#base + name, { signal: this.#abort.signal });
    if (!response.ok) throw new Error(`${name}: status ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }
}
