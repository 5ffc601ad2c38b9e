/**
 * Commands: the remote calls of RTMP (RTMP 1.0, section 7.2), as typed data, and the status codes that answer them.
 * Reading is lenient where clients differ (key case, missing arguments, AMF3 envelopes); writing is always AMF0.
 */
export interface Status {
  readonly level: 'status' | 'warning' | 'error';
  readonly code: string;
  /** For people; some clients also parse it (Adobe authentication). */
  readonly description: string;
}
