import { AmfObject, object } from './amf0.ts';
import type { ConnectParameters } from './client-events.ts';

/** librtmp's and OBS's name for themselves: servers enable publishing by it. */
const FLASH_VERSION = 'FMLE/3.0 (compatible; FMSc/1.0)';

/** The command object of connect: what librtmp and FFmpeg send, players' and publishers' properties together. */
export function connectObject({ app, tcUrl, properties }: ConnectParameters): AmfObject {
  const customary = object({
    app,
    type: 'nonprivate',
    flashVer: FLASH_VERSION,
    swfUrl: tcUrl,
    tcUrl,
    fpad: false,
    capabilities: 15,
    audioCodecs: 4071,
    videoCodecs: 252,
    videoFunction: 1,
    objectEncoding: 0,
  });
  return new AmfObject([...customary, ...(properties ?? [])]);
}
