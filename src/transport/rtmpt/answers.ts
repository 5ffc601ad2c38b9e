import { LimitError, ProtocolError } from '../../errors.ts';

/**
 * HTTP answers as the asking half of the tunnel reads them: bytes in any cut, whole answers out. Pure.
 *
 * Whole and not piece by piece, because an answer that breaks off is asked for again under the same number and comes
 * back identical; had a part of it been passed on, that part would have to be remembered. More forms are read than the
 * tunnel's own server writes (chunked, no length, HTTP/1.0, 1xx before the answer): a proxy on the way may have made
 * them (RFC 9112, section 6.3).
 */
export interface Answer {
  readonly status: number;
  /** The words behind the status, for messages; may be empty. */
  readonly reason: string;
  /** The media type in lower case without parameters; empty when there was none. */
  readonly contentType: string;
  /** False: this connection takes no further request. */
  readonly keepAlive: boolean;
  /** How a proxy wants to be asked (407); empty else. */
  readonly challenges: string;
  readonly body: Buffer;
}

export interface AnswerLimits {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

export const ANSWER_DEFAULTS: AnswerLimits = Object.freeze({
  // What Node's own client allows; the tunnel's answers have heads below 200 bytes.
  maxHeadBytes: 16 * 1024,
  // Four times what our server puts in an answer; Red5 sends 32 KiB, FMS less.
  maxBodyBytes: 4 * 1024 * 1024,
});

/** How the length of a body is known: counted, in chunks, or by the connection's end. */
type Framing =
  { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' } | { readonly kind: 'close' };

/** Status line and fields of an answer. */
export interface AnswerHead {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
}

interface Head extends Omit<Answer, 'body'> {
  readonly framing: Framing;
}

/** Reads the answers of one connection. After it has thrown, that connection is worth nothing. */
export class AnswerReader {
  readonly #limits: AnswerLimits;
  #bytes: Buffer = Buffer.alloc(0);
  #head: Head | undefined;
  #chunks: ChunkedBody | undefined;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(limits: AnswerLimits = ANSWER_DEFAULTS) {
    this.#limits = limits;
  }

  /** Whether bytes of an unfinished answer are here. */
  get started(): boolean {
    return this.#head !== undefined || this.#bytes.length > 0;
  }

  /** Takes received bytes; appends every answer that they complete. Throws `ProtocolError` (`LimitError` for size). */
  read(bytes: Buffer): Answer[] {
    const answers: Answer[] = [];
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const answer = this.#next();
      if (!answer) return answers;
      answers.push(answer);
    }
  }

  /** The connection has ended: an answer without a length is whole now; any other that was begun is lost. */
  end(): Answer | undefined {
    return this.#head?.framing.kind === 'close' ? this.#finish(this.#head) : undefined;
  }

  #next(): Answer | undefined {
    this.#head ??= this.#takeHead();
    const head = this.#head;
    if (!head) return undefined;
    return this.#bodyComplete(head.framing) ? this.#finish(head) : undefined;
  }

  #takeHead(): Head | undefined {
    for (;;) {
      const end = findHeadEnd(this.#bytes);
      const length = end?.length ?? this.#bytes.length;
      if (length > this.#limits.maxHeadBytes)
        throw new LimitError('HTTP_HEAD_TOO_LARGE', 'the head of the answer is too long');
      if (!end) return undefined;
      const text = this.#bytes.toString('latin1', 0, end.length);
      this.#bytes = this.#bytes.subarray(end.length + end.separator);
      const head = parseHead(text);
      if (head.status >= 200) return head;
      if (head.status === 101)
        throw new ProtocolError('HTTP_BAD_ANSWER', 'the server switched to another protocol unasked');
    }
  }

  #bodyComplete(framing: Framing): boolean {
    if (framing.kind === 'chunked') return this.#readChunked();
    if (framing.kind === 'close') {
      this.#keep(this.#take(this.#bytes.length));
      return false;
    }
    if (framing.bytes > this.#limits.maxBodyBytes) throw bodyTooLarge();
    this.#keep(this.#take(Math.min(framing.bytes - this.#length, this.#bytes.length)));
    return this.#length === framing.bytes;
  }

  #readChunked(): boolean {
    this.#chunks ??= new ChunkedBody();
    const used = this.#chunks.read(this.#bytes, (piece) => this.#keep(piece));
    this.#take(used);
    return this.#chunks.done;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    if (this.#length > this.#limits.maxBodyBytes) throw bodyTooLarge();
    this.#pieces.push(piece);
  }

  #take(length: number): Buffer {
    const piece = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return piece;
  }

  #finish({ framing: _framing, ...head }: Head): Answer {
    const body = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#head = this.#chunks = undefined;
    this.#pieces = [];
    this.#length = 0;
    return { ...head, body };
  }
}

/** A chunk-size line longer than this is an attack; extensions are not used by anybody here. */
const MAX_CHUNK_LINE = 256;

/** The chunked coding (RFC 9112, section 7.1). */
class ChunkedBody {
  done = false;
  /** Bytes of the present chunk still to come; undefined: a line comes next. */
  #left: number | undefined;
  #expect: 'size' | 'end of chunk' | 'trailer' = 'size';

  /** Reads what it can and returns how many bytes it used. */
  read(bytes: Buffer, keep: (piece: Buffer) => void): number {
    let used = 0;
    while (!this.done) {
      if (this.#left !== undefined) {
        const piece = bytes.subarray(used, used + this.#left);
        keep(piece);
        used += piece.length;
        this.#left -= piece.length;
        if (this.#left > 0) return used;
        this.#left = undefined;
        this.#expect = 'end of chunk';
      }
      const lineEnd = bytes.indexOf(0x0a, used);
      if ((lineEnd < 0 ? bytes.length : lineEnd) - used > MAX_CHUNK_LINE) throw badChunk();
      if (lineEnd < 0) return used;
      this.#line(bytes.toString('latin1', used, lineEnd).replace(/\r$/, ''));
      used = lineEnd + 1;
    }
    return used;
  }

  #line(line: string): void {
    if (this.#expect === 'trailer') {
      this.done = line === '';
    } else if (this.#expect === 'end of chunk') {
      if (line !== '') throw badChunk();
      this.#expect = 'size';
    } else {
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw badChunk();
      const length = parseInt(size, 16);
      if (length === 0) this.#expect = 'trailer';
      else this.#left = length;
    }
  }
}

/** Where the head ends: the length of its text, and of the blank line behind it. Bare line feeds are taken too. */
export function findHeadEnd(bytes: Buffer): { length: number; separator: number } | undefined {
  const strict = bytes.indexOf('\r\n\r\n');
  const bare = bytes.indexOf('\n\n');
  if (strict < 0 && bare < 0) return undefined;
  return strict >= 0 && (bare < 0 || strict < bare) ? { length: strict, separator: 4 } : { length: bare, separator: 2 };
}

/** Reads a head without its blank line. Throws `ProtocolError` HTTP_BAD_ANSWER. */
export function readHead(text: string): AnswerHead {
  const [statusLine = '', ...lines] = text.split(/\r?\n/);
  const match = /^HTTP\/1\.([01]) +(\d{3})(?: (.*))?$/.exec(statusLine);
  if (!match) throw new ProtocolError('HTTP_BAD_ANSWER', 'what came back is no HTTP answer');
  const version = match[1] === '1' ? '1.1' : '1.0';
  return { version, status: Number(match[2]), reason: printable(match[3] ?? ''), fields: parseFields(lines) };
}

function parseHead(text: string): Head {
  const { version, status, reason, fields } = readHead(text);
  const framing = framingOf(status, fields);
  const connection = (fields.get('connection') ?? '').toLowerCase();
  const persistent = version === '1.1' ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
  return {
    status,
    reason,
    contentType: (fields.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase(),
    keepAlive: persistent && framing.kind !== 'close',
    challenges: fields.get('proxy-authenticate') ?? '',
    framing,
  };
}

/** Field names in lower case; repeated ones are joined by commas, as RFC 9110, section 5.3, has it. */
function parseFields(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new ProtocolError('HTTP_BAD_ANSWER', 'a header line of the answer has no name');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return fields;
}

function framingOf(status: number, fields: ReadonlyMap<string, string>): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', bytes: 0 };
  const coding = fields.get('transfer-encoding');
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked')
      throw new ProtocolError('HTTP_BAD_ANSWER', 'the answer has an unknown transfer coding');
    return { kind: 'chunked' };
  }
  const lengths = new Set((fields.get('content-length') ?? '').split(/[ \t]*,[ \t]*/));
  if (lengths.has('') && lengths.size === 1) return { kind: 'close' };
  const [length = ''] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length))
    throw new ProtocolError('HTTP_BAD_ANSWER', 'the length of the answer is no number');
  return { kind: 'length', bytes: Number(length) };
}

/** Words from the other side go into error messages and logs: at most 80 printable characters of them. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}

function bodyTooLarge(): LimitError {
  return new LimitError('HTTP_BODY_TOO_LARGE', 'the body of the answer is too long');
}

function badChunk(): ProtocolError {
  return new ProtocolError('HTTP_BAD_ANSWER', 'the chunks of the answer are malformed');
}
