import {
  bareMetadata,
  FLV_FLAGS_AT,
  FLV_TAG_HEAD_BYTES,
  flvBackPointer,
  flvFlags,
  flvHeader,
  flvTagHead,
  withDuration,
  type Frame,
} from '../../media/index.ts';
import type { RecordingFile, RecordingWriter } from './file.ts';

/**
 * A stream as an FLV file: every payload as it came, data of type 15 too, with times from 0. Only `onMetaData` at the
 * beginning gets a duration, which the end fills in together with the header's flags.
 */
export class FlvWriter implements RecordingWriter {
  readonly #file: RecordingFile;
  readonly #durationAt: number;
  #pending: Buffer[] = [];
  #hasAudio = false;
  #hasVideo = false;
  #durationMs = 0;

  constructor(file: RecordingFile, headers: readonly Frame[]) {
    this.#file = file;
    const sent = headers.find(({ configKey, type }) => configKey === 'data:onMetaData' && type === 18);
    const ready = sent === undefined ? undefined : withDuration(sent.payload);
    const { body, durationAt } = ready ?? bareMetadata();
    const head = flvHeader();
    this.#pending.push(head);
    this.#durationAt = head.length + FLV_TAG_HEAD_BYTES + durationAt;
    this.#tag(18, 0, body);
    for (const header of headers) if (header !== sent || ready === undefined) this.#tag(header.type, 0, header.payload);
  }

  add({ kind, type, payload }: Frame, at: number): void {
    if (kind === 'audio') this.#hasAudio = true;
    if (kind === 'video') this.#hasVideo = true;
    this.#durationMs = Math.max(this.#durationMs, at);
    this.#tag(type, at, payload);
  }

  async flush(): Promise<void> {
    const pieces = this.#pending;
    this.#pending = [];
    if (pieces.length > 0) await this.#file.append(pieces);
  }

  /** Also after a `flush` that failed: what was written before becomes a whole file. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#complete();
    }
  }

  async #complete(): Promise<void> {
    const seconds = Buffer.alloc(8);
    seconds.writeDoubleBE(this.#durationMs / 1000);
    try {
      await this.#file.patch(seconds, this.#durationAt);
      await this.#file.patch(Buffer.from([flvFlags({ audio: this.#hasAudio, video: this.#hasVideo })]), FLV_FLAGS_AT);
    } finally {
      await this.#file.finish();
    }
  }

  #tag(type: number, at: number, body: Buffer): void {
    this.#pending.push(flvTagHead(type, body.length, at), body, flvBackPointer(body.length));
  }
}
