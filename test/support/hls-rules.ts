import { attributes, type MediaPlaylist } from './hls-validator.ts';

type Attributes = Readonly<Record<string, string>>;

export interface Multivariant {
  readonly variants: readonly (Attributes & { readonly uri: string })[];
  readonly media: readonly Attributes[];
  /** All media playlists that it names, each once. */
  readonly uris: readonly string[];
}

/** Reads a multivariant playlist; throws at whatever a strict reader would not take. */
export function readMultivariant(text: string): Multivariant {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines[0] !== '#EXTM3U') throw new Error('the first line is not #EXTM3U');
  const variants: (Attributes & { uri: string })[] = [];
  const media: Attributes[] = [];
  for (const [index, line] of lines.entries()) {
    const [, name, value = ''] = /^#(EXT-X-[A-Z-]+):(.*)$/.exec(line) ?? [];
    if (name === 'EXT-X-MEDIA') media.push(attributes(value));
    if (name === 'EXT-X-STREAM-INF') {
      const uri = lines[index + 1];
      if (uri === undefined || uri.startsWith('#')) throw new Error('EXT-X-STREAM-INF without an address behind it');
      variants.push({ ...attributes(value), uri });
    }
  }
  const uris = [...variants.map(({ uri }) => uri), ...media.flatMap(({ URI }) => URI ?? [])];
  return { variants, media, uris: [...new Set(uris)] };
}

/** What is wrong with a multivariant playlist by RFC 8216bis, 4.4.6, and Apple's authoring rules. */
export function faultsInMultivariant({ variants, media }: Multivariant): string[] {
  const faults: string[] = [];
  const complain = (isWrong: boolean, fault: string): void => void (isWrong && faults.push(fault));
  complain(variants.length === 0, 'no variant');
  for (const variant of variants) {
    const { uri, BANDWIDTH = '', CODECS = '', RESOLUTION } = variant;
    complain(!/^[1-9]\d*$/.test(BANDWIDTH), `${uri}: no BANDWIDTH`);
    complain(Number(variant['AVERAGE-BANDWIDTH']) > Number(BANDWIDTH), `${uri}: more on average than at the most`);
    complain(CODECS === '', `${uri}: no CODECS`);
    const hasVideo = /\b(?:avc1|hvc1|av01|vp09)\./.test(CODECS);
    complain(hasVideo !== (RESOLUTION !== undefined), `${uri}: RESOLUTION where there is a picture, and only there`);
    complain(hasVideo && !/^\d+\.\d{3}$/.test(variant['FRAME-RATE'] ?? ''), `${uri}: no FRAME-RATE of three decimals`);
    complain(hasVideo && !/^(?:SDR|HLG|PQ)$/.test(variant['VIDEO-RANGE'] ?? ''), `${uri}: no VIDEO-RANGE`);
    const group = media.filter((each) => each['GROUP-ID'] === variant.AUDIO);
    complain(variant.AUDIO !== undefined && group.length === 0, `${uri}: no group ${variant.AUDIO}`);
  }
  const groups = new Set(media.map((each) => each['GROUP-ID']));
  for (const id of groups) {
    const members = media.filter((each) => each['GROUP-ID'] === id);
    complain(members.filter(({ DEFAULT }) => DEFAULT === 'YES').length > 1, `${id}: several defaults`);
    complain(new Set(members.map(({ NAME }) => NAME)).size < members.length, `${id}: a name twice`);
    complain(!variants.some(({ AUDIO }) => AUDIO === id), `${id}: no variant has it`);
  }
  return faults;
}

/** Every playlist says how far each other one is (RFC 8216bis, B.1). */
export function faultsInReports(
  own: string,
  { uris }: Multivariant,
  { reports, ended, partTarget }: MediaPlaylist,
): string[] {
  if (ended || partTarget === undefined) return [];
  const told = reports.map(({ URI }) => URI);
  const missing = uris
    .filter((uri) => uri !== own && !told.includes(uri))
    .map((uri) => `${own} has no report of ${uri}`);
  const wrong = reports.filter(
    (report) => !/^\d+$/.test(report['LAST-MSN'] ?? '') || !/^\d+$/.test(report['LAST-PART'] ?? ''),
  );
  return [...missing, ...wrong.map(({ URI }) => `${own}: the report of ${URI} says nothing`)];
}

/** CODECS names what the initialisations hold, and nothing else. `inits`: what each playlist's holds. */
export function faultsInCodecs(
  { variants, media }: Multivariant,
  inits: ReadonlyMap<string, readonly string[]>,
): string[] {
  return variants.flatMap(({ uri, CODECS = '', AUDIO }) => {
    const sounds = media.flatMap((each) => (each['GROUP-ID'] === AUDIO && each.URI !== undefined ? [each.URI] : []));
    const held = [uri, ...sounds].flatMap((each) => inits.get(each) ?? []);
    const named = CODECS.split(',');
    const fits = (codec: string, init: string): boolean => codec === init || codec.startsWith(`${init}.`);
    const unnamed = held.filter((init) => !named.some((codec) => fits(codec, init)));
    const invented = named.filter((codec) => !held.some((init) => fits(codec, init)));
    return [...unnamed, ...invented].map(
      (codec) => `${uri}: ${codec} is not both in CODECS (${CODECS}) and in the media`,
    );
  });
}

/** What an initialisation segment says it holds, as CODECS would (RFC 6381; ISO/IEC 14496-15, annex E). */
export function codecsOfInit(init: Buffer): string[] {
  return boxes(init, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']).flatMap((stsd) => {
    const [entry] = children(stsd.subarray(8));
    return entry === undefined ? [] : codecOf(entry.type, entry.body);
  });
}

function codecOf(type: string, body: Buffer): string {
  if (type === 'avc1') return `avc1.${find(body.subarray(78), 'avcC').toString('hex', 1, 4)}`;
  if (type === 'mp4a') return mpeg4Audio(find(body.subarray(28), 'esds'));
  return type === 'Opus' ? 'opus' : type;
}

/** ISO/IEC 14496-1: descriptors 3, 4 (its object type first) and 5. */
function mpeg4Audio(esds: Buffer): string {
  const decoder = descriptor(descriptor(esds.subarray(4), 3).subarray(3), 4);
  const kind = decoder[0]!;
  if (kind !== 0x40) return `mp4a.${kind.toString(16).toUpperCase()}`;
  return `mp4a.40.${descriptor(decoder.subarray(13), 5)[0]! >> 3}`;
}

function descriptor(bytes: Buffer, tag: number): Buffer {
  if (bytes[0] !== tag) throw new Error(`no descriptor ${tag}`);
  let [at, size] = [1, 0];
  for (; ; at++) {
    size = size * 128 + (bytes[at]! & 127);
    if (bytes[at]! < 128) return bytes.subarray(at + 1, at + 1 + size);
  }
}

interface Box {
  readonly type: string;
  readonly body: Buffer;
}

function children(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    found.push({ type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + 8, at + size) });
    at += size;
  }
  return found;
}

function boxes(bytes: Buffer, [first, ...rest]: readonly string[]): Buffer[] {
  const here = children(bytes).filter(({ type }) => type === first);
  return here.flatMap(({ body }) => (rest.length === 0 ? [body] : boxes(body, rest)));
}

function find(bytes: Buffer, type: string): Buffer {
  const [found] = boxes(bytes, [type]);
  if (found === undefined) throw new Error(`no ${type}`);
  return found;
}
