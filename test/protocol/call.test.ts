import { describe, expect, it } from 'vitest';
import { encodeAmf0, object } from '../../src/protocol/amf0.ts';
import { decodeCall, encodeCall, flag, number, property, text } from '../../src/protocol/call.ts';
import { hex } from '../support/fixture.ts';

const command = (payload: Buffer, type = 20, streamId = 0) => ({ type, streamId, timestamp: 0, payload });

describe('calls', () => {
  it('are name, transaction, object and arguments, written and read', () => {
    const message = encodeCall(1, 'play', 4, null, 'key', -2);
    expect(message).toEqual(
      command(hex('02 0004 706c6179 00 4010000000000000 05 02 0003 6b6579 00 c000000000000000'), 20, 1),
    );
    expect(decodeCall(message)).toEqual({
      name: 'play',
      transactionId: 4,
      object: null,
      args: ['key', -2],
      streamId: 1,
    });
  });

  it('write an undefined argument, since clients count them', () => {
    expect(encodeCall(0, 'x', 1, null, undefined).payload.at(-1)).toBe(0x06);
  });

  it('in an AMF3 envelope have a format byte, or lack it', () => {
    const payload = encodeAmf0('createStream', 2, null);
    const read = { name: 'createStream', transactionId: 2, object: null, args: [], streamId: 0 };
    expect(decodeCall(command(Buffer.concat([hex('00'), payload]), 17))).toEqual(read);
    expect(decodeCall(command(payload, 17))).toEqual(read);
  });

  it('may leave out everything but the name', () => {
    expect(decodeCall(command(encodeAmf0('close')))).toMatchObject({ name: 'close', transactionId: 0, args: [] });
    expect(decodeCall(command(encodeAmf0('close', 'x')))).toMatchObject({ transactionId: 0 });
  });

  it.each(['', '05', '00 3ff0000000000000'])('without a name are refused: %s', (payload) => {
    expect(() => decodeCall(command(hex(payload)))).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }));
  });

  it('find a property whatever the case of its key, the exact one first', () => {
    expect(property(object({ tcurl: 'a' }), 'tcUrl')).toBe('a');
    expect(property(object({ CapsEx: 1, capsEx: 2 }), 'capsEx')).toBe(2);
    expect(property(object({ app: 'a' }), 'tcUrl')).toBeUndefined();
    expect(property(null, 'app')).toBeUndefined();
    expect(property('app', 'app')).toBeUndefined();
  });

  it('take values for what clients mean by them', () => {
    expect([number(Number.NaN, 7), number('1', 7), number(2, 7)]).toEqual([7, 7, 2]);
    expect([text(5), text('5'), text(null)]).toEqual(['5', '5', undefined]);
    expect([flag(true, false), flag(0, true), flag(2, false), flag(null, true)]).toEqual([true, false, true, true]);
  });
});
