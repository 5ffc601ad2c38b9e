import { describe, expect, it } from 'vitest';
import { decodeAmf0, object } from '../../src/protocol/amf0.ts';
import { connectInfo, sampleAccess, serverProperties, statusInfo } from '../../src/protocol/replies.ts';

describe('replies', () => {
  it('to connect say success and object encoding 0', () => {
    expect(connectInfo(object({ app: 'live', objectEncoding: 3 }))).toEqual(
      object({
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded.',
        objectEncoding: 0,
      }),
    );
    expect([...serverProperties().keys()]).toEqual(['fmsVer', 'capabilities', 'mode']);
  });

  it('to connect give capabilities to those that gave theirs', () => {
    const keys = [...connectInfo(object({ capsex: 0 })).keys()];
    expect(keys.slice(4)).toEqual(['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx']);
  });

  it('carry a status level first, as every server does', () => {
    const info = statusInfo({ level: 'error', code: 'c', description: 'd' });
    expect([...info]).toEqual([
      ['level', 'error'],
      ['code', 'c'],
      ['description', 'd'],
    ]);
  });

  it('open a playing NetStream with sample access', () => {
    const message = sampleAccess(3);
    expect(message).toMatchObject({ type: 18, streamId: 3, timestamp: 0 });
    expect(decodeAmf0(message.payload)).toEqual(['|RtmpSampleAccess', true, true]);
  });
});
