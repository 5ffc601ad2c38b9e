/** What a tunnel answers, without a tunnel: an id for /open, and the polling byte alone for everything else. */
export const ID = Buffer.from('0123456789abcdefghijkl\n');
export const POLLING_BYTE = Buffer.from([1]);

export function head(body) {
  return {
    'Content-Type': 'application/x-fcs',
    Connection: 'Keep-Alive',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
    'Content-Length': body.length,
  };
}
