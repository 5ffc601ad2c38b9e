import type { AmfValue } from './amf0.ts';
import { property, text } from './call.ts';

/** What a NetConnection or NetStream is told about itself: the info object of onStatus, `_result` and `_error`. */
export interface Status {
  readonly level: StatusLevel;
  readonly code: string;
  /** For people; some clients also parse it (Adobe authentication). */
  readonly description: string;
}

export type StatusLevel = 'status' | 'warning' | 'error';

/**
 * The codes that clients know, each with its level (Flash's NetStatusEvent; RTMP 1.0, section 7.2). FFmpeg ends at any
 * `error`; librtmp ends at NetStream.Failed, Play.Failed, Play.StreamNotFound, Connect.InvalidApp, Publish.Rejected,
 * Publish.Denied and Publish.BadName.
 */
const LEVELS = {
  'NetConnection.Call.Failed': 'error',
  'NetConnection.Connect.AppShutdown': 'error',
  'NetConnection.Connect.Closed': 'status',
  'NetConnection.Connect.Failed': 'error',
  'NetConnection.Connect.InvalidApp': 'error',
  'NetConnection.Connect.ReconnectRequest': 'status',
  'NetConnection.Connect.Rejected': 'error',
  'NetConnection.Connect.Success': 'status',
  'NetConnection.Proxy.NotResponding': 'error',
  'NetStream.Data.Start': 'status',
  'NetStream.Failed': 'error',
  'NetStream.Pause.Notify': 'status',
  'NetStream.Play.BadAuth': 'error',
  'NetStream.Play.Complete': 'status',
  'NetStream.Play.Failed': 'error',
  'NetStream.Play.InsufficientBW': 'warning',
  'NetStream.Play.PublishNotify': 'status',
  'NetStream.Play.Reset': 'status',
  'NetStream.Play.Start': 'status',
  'NetStream.Play.Stop': 'status',
  'NetStream.Play.StreamNotFound': 'error',
  'NetStream.Play.Transition': 'status',
  'NetStream.Play.UnpublishNotify': 'status',
  // "Already publishing": the one refusal of a publisher that every client can name.
  'NetStream.Publish.BadName': 'error',
  'NetStream.Publish.BadAuth': 'error',
  'NetStream.Publish.Denied': 'error',
  'NetStream.Publish.Idle': 'status',
  'NetStream.Publish.Rejected': 'error',
  'NetStream.Publish.Start': 'status',
  'NetStream.Record.Failed': 'error',
  'NetStream.Record.NoAccess': 'error',
  'NetStream.Record.Start': 'status',
  'NetStream.Record.Stop': 'status',
  'NetStream.Seek.Failed': 'error',
  'NetStream.Seek.Notify': 'status',
  'NetStream.Unpause.Notify': 'status',
  'NetStream.Unpublish.Success': 'status',
} as const satisfies Readonly<Record<string, StatusLevel>>;

export type StatusCode = keyof typeof LEVELS;

/** A status with the level that its code always has. */
export function status(code: StatusCode, description = ''): Status {
  return { level: LEVELS[code], code, description };
}

const KNOWN_LEVELS: readonly StatusLevel[] = ['status', 'warning', 'error'];

/** The status in an info object; what is missing or odd is taken for the harmless. */
export function readStatus(info: AmfValue): Status {
  const level = KNOWN_LEVELS.find((known) => known === property(info, 'level')) ?? 'status';
  const code = text(property(info, 'code')) ?? '';
  return { level, code, description: text(property(info, 'description')) ?? '' };
}
