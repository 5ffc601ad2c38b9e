/** An event message box of version 1, as read. */
export interface ReadCue {
  readonly timescale: number;
  readonly time: number;
  readonly duration: number;
  readonly id: number;
  readonly scheme: string;
  readonly value: string;
  readonly message: Buffer;
}

export interface Box {
  readonly type: string;
  readonly body: Buffer;
}

/** Boxes one after the other; throws unless they fill the bytes. */
export function boxesIn(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) throw new Error(`a box of ${size} bytes at ${at} of ${bytes.length}`);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + 8, at + size) });
    at += size;
  }
  return boxes;
}

/** All event messages among the boxes of a segment. */
export function cuesIn(segment: Buffer): ReadCue[] {
  return boxesIn(segment).flatMap(({ type, body }) => (type === 'emsg' ? [readCue(body)] : []));
}

function readCue(body: Buffer): ReadCue {
  if (body.readUInt32BE(0) !== 0x01000000) throw new Error('not version 1');
  const schemeEnd = body.indexOf(0, 24);
  const valueEnd = body.indexOf(0, schemeEnd + 1);
  return {
    timescale: body.readUInt32BE(4),
    time: Number(body.readBigUInt64BE(8)),
    duration: body.readUInt32BE(16),
    id: body.readUInt32BE(20),
    scheme: body.toString('utf8', 24, schemeEnd),
    value: body.toString('utf8', schemeEnd + 1, valueEnd),
    message: body.subarray(valueEnd + 1),
  };
}

/** The one user-defined text of an ID3 tag, version 2.4; throws when its sizes do not fit. */
export function textIn(tag: Buffer): { readonly description: string; readonly value: string } {
  const size = (at: number): number => [0, 1, 2, 3].reduce((sum, i) => sum * 128 + tag[at + i]!, 0);
  const head = tag.toString('latin1', 0, 6) + tag.toString('latin1', 10, 14);
  if (head !== 'ID3\x04\0\0TXXX' || size(6) !== tag.length - 10 || size(14) !== tag.length - 20) {
    throw new Error(`no such tag: ${tag.toString('hex')}`);
  }
  const [description = '', value = ''] = tag.subarray(21).toString('utf8').split('\0');
  return { description, value };
}
