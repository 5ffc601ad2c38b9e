import type { AmfValue } from './amf0.ts';
import { AmfObject } from './amf0.ts';
import { flag, number, property, text, type Call } from './call.ts';

/**
 * The commands that a server understands, as typed data. `type` is also the column of the session's transition tables.
 * Reading never fails: what a client leaves out or garbles gets the value that most clients mean by it.
 */
export type Command =
  | ConnectCommand
  | { readonly type: 'createStream' }
  | { readonly type: 'announce'; readonly name: string }
  | { readonly type: 'withdraw'; readonly name: string }
  | PublishCommand
  /** publish(false) and play(false), closeStream, and play2 with the transition "stop". */
  | { readonly type: 'closeStream' }
  | { readonly type: 'deleteStream'; readonly streamId: number }
  | PlayCommand
  | { readonly type: 'pause'; readonly paused: boolean; readonly position: number }
  | { readonly type: 'seek'; readonly position: number }
  | { readonly type: 'receive'; readonly kind: 'audio' | 'video'; readonly wanted: boolean }
  | { readonly type: 'getStreamLength' }
  /** `_result`, `_error` and onStatus: answers to what was never asked, themselves never answered. */
  | { readonly type: 'answer' }
  /** releaseStream, `_checkbw`, FCSubscribe: acknowledged, nothing more. */
  | { readonly type: 'courtesy' }
  /** Whatever else there may be: acknowledged as well, since some clients wait for it (Haivision, FMLE). */
  | { readonly type: 'unknown' };

export interface ConnectCommand {
  readonly type: 'connect';
  readonly app: string;
  readonly tcUrl: string;
  readonly properties: AmfObject;
  readonly args: readonly AmfValue[];
}

export type PublishKind = 'live' | 'record' | 'append';

export interface PublishCommand {
  readonly type: 'publish';
  readonly name: string;
  readonly kind: PublishKind;
}

export interface PlayCommand {
  readonly type: 'play';
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  readonly reset: boolean;
}

/** What a call means. */
export function parseCommand(call: Call): Command {
  return Object.hasOwn(PARSERS, call.name) ? PARSERS[call.name]!(call) : { type: 'unknown' };
}

const PARSERS: Readonly<Record<string, (call: Call) => Command>> = {
  connect: parseConnect,
  createStream: () => ({ type: 'createStream' }),
  releaseStream: () => ({ type: 'courtesy' }),
  _checkbw: () => ({ type: 'courtesy' }),
  FCSubscribe: () => ({ type: 'courtesy' }),
  FCPublish: ({ args }) => ({ type: 'announce', name: text(args[0]) ?? '' }),
  FCUnpublish: ({ args }) => ({ type: 'withdraw', name: text(args[0]) ?? '' }),
  publish: parsePublish,
  play: parsePlay,
  play2: parsePlay2,
  closeStream: () => ({ type: 'closeStream' }),
  deleteStream: ({ args, streamId }) => ({ type: 'deleteStream', streamId: number(args[0], streamId) }),
  pause: parsePause,
  // Flash's form of pause that carries the server's clock; the arguments mean the same.
  pauseRaw: parsePause,
  seek: ({ args }) => ({ type: 'seek', position: number(args[0], 0) }),
  receiveAudio: ({ args }) => ({ type: 'receive', kind: 'audio', wanted: flag(args[0], true) }),
  receiveVideo: ({ args }) => ({ type: 'receive', kind: 'video', wanted: flag(args[0], true) }),
  getStreamLength: () => ({ type: 'getStreamLength' }),
  _result: () => ({ type: 'answer' }),
  _error: () => ({ type: 'answer' }),
  onStatus: () => ({ type: 'answer' }),
};

function parseConnect({ object, args }: Call): ConnectCommand {
  const properties = object instanceof AmfObject ? object : new AmfObject();
  const tcUrl = unquoted(text(property(properties, 'tcUrl')) ?? '');
  const app = text(property(properties, 'app')) ?? pathOf(tcUrl);
  return { type: 'connect', app, tcUrl, properties, args };
}

/** Some hardware puts the configured URL into quotes (MediaMTX cuts them off too). */
function unquoted(url: string): string {
  return url.replace(/^(['"])(.*)\1$/s, '$2');
}

function pathOf(url: string): string {
  return /^[a-z]+:\/\/[^/]*\/(.*)$/is.exec(url)?.[1] ?? '';
}

function parsePublish({ args }: Call): Command {
  if (args[0] === false) return { type: 'closeStream' };
  const kind = args[1] === 'record' || args[1] === 'append' ? args[1] : 'live';
  return { type: 'publish', name: text(args[0]) ?? '', kind };
}

function parsePlay({ args }: Call): Command {
  if (args[0] === false) return { type: 'closeStream' };
  const [name, start, duration, reset] = args;
  return {
    type: 'play',
    name: text(name) ?? '',
    start: number(start, -2),
    duration: number(duration, -1),
    reset: startsAfresh(reset),
  };
}

/** Flash also counts: 0 and 2 add to a playlist, 1 and 3 start a new one (NetStream.play of Flash Media Server). */
function startsAfresh(reset: AmfValue): boolean {
  return typeof reset === 'number' ? reset % 2 !== 0 : flag(reset, true);
}

/** play2(NetStreamPlayOptions): answered as a stop and a start (RTMP 1.0, section 7.2.2.2). */
function parsePlay2({ args }: Call): Command {
  const [options] = args;
  const transition = text(property(options, 'transition'));
  if (transition === 'stop') return { type: 'closeStream' };
  return {
    type: 'play',
    name: text(property(options, 'streamName')) ?? '',
    start: number(property(options, 'start'), -2),
    duration: number(property(options, 'len'), -1),
    reset: transition === 'reset',
  };
}

function parsePause({ args }: Call): Command {
  return { type: 'pause', paused: flag(args[0], true), position: number(args[1], 0) };
}
