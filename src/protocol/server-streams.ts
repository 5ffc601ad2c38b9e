import { LimitError, ProtocolError } from '../errors.ts';
import type { PlayCommand, PublishCommand } from './command.ts';
import type { Connection } from './connection.ts';
import type { Message } from './message.ts';
import { NetStream, type StreamPhase } from './net-stream.ts';
import { sampleAccess, statusInfo } from './replies.ts';
import type { PlayRequest, PublishRequest, ServerEvent } from './server-events.ts';
import { status, type Status } from './status.ts';

type StreamStep =
  'publish' | 'play' | 'closeStream' | 'deleteStream' | 'pause' | 'seek' | 'receive' | 'accept' | 'reject';

/**
 * What a NetStream may be told in each phase, and the phase that follows; theory of operation in server-session.ts.
 * A new play replaces the one before it, as Flash's playlists do; what publishes must be closed first.
 */
const STREAM_TRANSITIONS: Readonly<Record<StreamPhase, Readonly<Partial<Record<StreamStep, StreamPhase>>>>> = {
  idle: {
    publish: 'askedToPublish',
    play: 'askedToPlay',
    closeStream: 'idle',
    deleteStream: 'deleted',
    pause: 'idle',
    seek: 'idle',
    receive: 'idle',
  },
  // Commands wait while a request is open.
  askedToPublish: { accept: 'publishing', reject: 'idle' },
  askedToPlay: { accept: 'playing', reject: 'idle' },
  publishing: { closeStream: 'idle', deleteStream: 'deleted', receive: 'publishing' },
  playing: {
    play: 'askedToPlay',
    closeStream: 'idle',
    deleteStream: 'deleted',
    pause: 'playing',
    seek: 'playing',
    receive: 'playing',
  },
  deleted: {},
};

/** The NetStreams of one connection. Everything that changes a NetStream's phase is in this file. */
export class ServerStreams {
  readonly #connection: Connection<ServerEvent>;
  readonly #streams = new Map<number, NetStream>();
  /** NetStreams whose first media is still owed: mostly none, and the deadline is asked for after every packet. */
  #owingMedia = 0;

  constructor(connection: Connection<ServerEvent>) {
    this.#connection = connection;
  }

  /** The new NetStream's id; undefined when there are too many. */
  create(): number | undefined {
    if (this.#streams.size >= this.#connection.options.maxStreams) return undefined;
    // Ids start at 1 (GStreamer takes 0 for a failure), and 1 is what players of one stream share their encoding by.
    let id = 1;
    while (this.#streams.has(id)) id++;
    this.#streams.set(id, new NetStream(id));
    return id;
  }

  clear(): void {
    this.#streams.clear();
    this.#owingMedia = 0;
  }

  // ---- what the client says

  media(message: Message): void {
    const stream = this.#streams.get(message.streamId);
    if (stream?.phase !== 'publishing') return this.#connection.hint('media where nothing is published');
    if (stream.mediaDueAt !== undefined) this.#mediaCame(stream);
    this.#connection.emit({ type: 'media', streamId: stream.id, message });
  }

  isPublishing(streamId: number): boolean {
    return this.#streams.get(streamId)?.phase === 'publishing';
  }

  publish({ name, kind }: PublishCommand, streamId: number): PublishRequest {
    const stream = this.#streamFor(streamId);
    this.#step(stream, 'publish');
    stream.name = name;
    return { type: 'publish', id: this.#connection.nextId(), streamId, name, kind };
  }

  play({ name, start, duration, reset }: PlayCommand, streamId: number): PlayRequest {
    const stream = this.#streamFor(streamId);
    this.#tellStopped(stream);
    this.#step(stream, 'play');
    const { bufferMs } = stream;
    return { type: 'play', id: this.#connection.nextId(), streamId, name, start, duration, reset, bufferMs };
  }

  close(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#leave(stream, 'closeStream');
  }

  delete(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#leave(stream, 'deleteStream');
    this.#streams.delete(streamId);
  }

  /** FCUnpublish: it names what it ends, and comes on the connection itself. */
  withdraw(name: string): void {
    for (const stream of this.#streams.values()) {
      if (stream.phase === 'publishing' && stream.isNamed(name)) return this.#leave(stream, 'closeStream');
    }
  }

  pause(paused: boolean, position: number, streamId: number): void {
    if (!this.#concernsPlaying(streamId, 'pause')) return;
    if (paused) {
      this.tell(streamId, status('NetStream.Pause.Notify', 'Paused.'));
      this.#connection.sendControl({ type: 'streamEof', streamId });
    } else {
      this.tell(streamId, status('NetStream.Unpause.Notify', 'Playing on.'));
      this.#connection.sendControl({ type: 'streamBegin', streamId });
    }
    this.#connection.emit({ type: 'pause', streamId, paused, position });
  }

  seek(position: number, streamId: number): void {
    if (!this.#concernsPlaying(streamId, 'seek')) return;
    this.tell(streamId, status('NetStream.Seek.Failed', 'A live stream has no other place to go to.'));
    this.#connection.emit({ type: 'seek', streamId, position });
  }

  /** Said before playing it is remembered: Flash pages say it when they make the NetStream. */
  receive(kind: 'audio' | 'video', wanted: boolean, streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#step(stream, 'receive');
    if (wanted) stream.muted.delete(kind);
    else stream.muted.add(kind);
    if (stream.phase === 'playing') this.#connection.emit({ type: 'receive', streamId, kind, wanted });
  }

  /** FFmpeg and librtmp say it behind their play command, Flash before; librtmp says it of stream 0 as well, which is none. */
  bufferLength(ms: number, streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.bufferMs = ms;
    if (stream.phase !== 'playing' && stream.phase !== 'askedToPlay') return;
    this.#connection.emit({ type: 'bufferLength', streamId, ms });
  }

  // ---- what the owner says

  accept(request: PublishRequest | PlayRequest, now: number): void {
    const stream = this.#streamFor(request.streamId);
    this.#step(stream, 'accept');
    if (request.type === 'publish') this.#startPublishing(stream, now);
    else this.#startPlaying(stream, request);
  }

  reject({ streamId }: PublishRequest | PlayRequest, why: Status): void {
    this.#step(this.#streamFor(streamId), 'reject');
    this.tell(streamId, why);
  }

  /** Ends what is published or played there without a word. */
  stop(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream?.phase !== 'publishing' && stream?.phase !== 'playing') return;
    if (stream.mediaDueAt !== undefined) this.#mediaCame(stream);
    this.#step(stream, 'closeStream');
  }

  /** onStatus, which must carry the NetStream's id: GStreamer judges the first one that comes on it. */
  tell(streamId: number, what: Status): void {
    this.#connection.sendCall(streamId, 'onStatus', 0, null, statusInfo(what));
  }

  // ---- time

  deadline(): number {
    let earliest = Infinity;
    if (this.#owingMedia === 0) return earliest;
    for (const { mediaDueAt } of this.#streams.values()) earliest = Math.min(earliest, mediaDueAt ?? Infinity);
    return earliest;
  }

  /** Throws `ProtocolError` MEDIA_TIMEOUT. */
  tick(now: number): void {
    if (now >= this.deadline()) throw new ProtocolError('MEDIA_TIMEOUT', 'publishing without sending anything');
  }

  // ---- inside

  #startPublishing(stream: NetStream, now: number): void {
    this.tell(stream.id, status('NetStream.Publish.Start', 'Publishing.'));
    stream.mediaDueAt = now + this.#connection.options.firstMediaTimeoutMs;
    this.#owingMedia++;
  }

  /** The order that satisfies Flash, FFmpeg, GStreamer and librtmp; metadata, headers and media follow from outside. */
  #startPlaying(stream: NetStream, { reset }: PlayRequest): void {
    const { id } = stream;
    this.#connection.sendControl({ type: 'streamBegin', streamId: id });
    if (reset) this.tell(id, status('NetStream.Play.Reset', 'Playing and resetting.'));
    this.tell(id, status('NetStream.Play.Start', 'Playing.'));
    this.#connection.sendMessage(sampleAccess(id));
    for (const kind of stream.muted) this.#connection.emit({ type: 'receive', streamId: id, kind, wanted: false });
  }

  #leave(stream: NetStream, step: 'closeStream' | 'deleteStream'): void {
    this.#tellStopped(stream);
    this.#step(stream, step);
  }

  /** Says, on both sides, that what went on there is over. */
  #tellStopped(stream: NetStream): void {
    const { id, phase } = stream;
    if (stream.mediaDueAt !== undefined) this.#mediaCame(stream);
    if (phase === 'playing') this.#connection.emit({ type: 'stopped', streamId: id });
    if (phase !== 'publishing') return;
    this.#connection.emit({ type: 'unpublish', streamId: id });
    this.tell(id, status('NetStream.Unpublish.Success', 'Stopped publishing.'));
  }

  #concernsPlaying(streamId: number, step: 'pause' | 'seek'): boolean {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return false;
    this.#step(stream, step);
    return stream.phase === 'playing';
  }

  #mediaCame(stream: NetStream): void {
    stream.mediaDueAt = undefined;
    this.#owingMedia--;
  }

  #step(stream: NetStream, step: StreamStep): void {
    const next = STREAM_TRANSITIONS[stream.phase][step];
    if (next === undefined) {
      throw new ProtocolError('COMMAND_UNEXPECTED', `${step} on stream ${stream.id} while ${stream.phase}`);
    }
    stream.phase = next;
  }

  /** A client that never created its stream gets it by using it, as with servers that do not look at ids at all. */
  #streamFor(id: number): NetStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    if (id === 0) throw new ProtocolError('STREAM_INVALID', 'publish or play on the connection itself');
    if (this.#streams.size >= this.#connection.options.maxStreams) {
      throw new LimitError('TOO_MANY_STREAMS', 'too many streams on one connection');
    }
    const stream = new NetStream(id);
    this.#streams.set(id, stream);
    return stream;
  }
}
