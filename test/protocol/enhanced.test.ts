import { describe, expect, it } from 'vitest';
import { ecmaArray, object } from '../../src/protocol/amf0.ts';
import { readCapabilities, relayCapabilities } from '../../src/protocol/enhanced.ts';

describe('Enhanced RTMP capabilities', () => {
  it('are absent from a peer that says nothing, as OBS does', () => {
    expect(readCapabilities(object({ app: 'live', videoCodecs: 252 }))).toBeUndefined();
    expect(readCapabilities(null)).toBeUndefined();
  });

  it('are read in both versions, whatever the case of the keys', () => {
    const properties = object({
      FOURCCLIST: ['av01', 'hvc1', 7],
      videoFourCcInfoMap: object({ '*': 4, hvc1: 3 }),
      AudioFourCcInfoMap: object({ Opus: 1 }),
      CapsEx: 6,
    });
    expect(readCapabilities(properties)).toEqual({
      fourCcList: ['av01', 'hvc1'],
      videoFourCcInfoMap: new Map([
        ['*', 4],
        ['hvc1', 3],
      ]),
      audioFourCcInfoMap: new Map([['Opus', 1]]),
      capsEx: 6,
    });
  });

  it('are read from an associative array where a strict one belongs', () => {
    expect(readCapabilities(object({ fourCcList: ecmaArray({ 0: 'av01' }) }))?.fourCcList).toEqual(['av01']);
  });

  it('end after 32 entries', () => {
    const fourCcList = Array.from({ length: 33 }, (_, i) => `c${i}`);
    expect(readCapabilities(object({ fourCcList }))?.fourCcList).toHaveLength(32);
  });

  it('of a relay: forwards everything, honours Multitrack and ModEx, gives a v1 list back', () => {
    const asked = readCapabilities(object({ capsEx: 15 }))!;
    expect(relayCapabilities(asked)).toEqual(
      object({
        fourCcList: ['*'],
        videoFourCcInfoMap: object({ '*': 4 }),
        audioFourCcInfoMap: object({ '*': 4 }),
        capsEx: 6,
      }),
    );
    const old = readCapabilities(object({ fourCcList: ['hvc1'] }))!;
    expect(relayCapabilities(old).get('fourCcList')).toEqual(['hvc1']);
  });
});
