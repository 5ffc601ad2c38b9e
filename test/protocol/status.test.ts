import { describe, expect, it } from 'vitest';
import { object } from '../../src/protocol/amf0.ts';
import { readStatus, status } from '../../src/protocol/status.ts';

describe('a status', () => {
  it('has the level that belongs to its code', () => {
    expect(status('NetStream.Publish.BadName', 'taken')).toEqual({
      level: 'error',
      code: 'NetStream.Publish.BadName',
      description: 'taken',
    });
    expect(status('NetStream.Play.Start')).toMatchObject({ level: 'status', description: '' });
    expect(status('NetStream.Play.InsufficientBW').level).toBe('warning');
  });

  it('is read from whatever a server sends', () => {
    const sent = { level: 'error', code: 'NetStream.Play.Failed', description: 'gone' };
    expect(readStatus(object(sent))).toEqual(sent);
    expect(readStatus(object({ Level: 'loud', CODE: 'x' }))).toEqual({ level: 'status', code: 'x', description: '' });
    expect(readStatus(undefined)).toEqual({ level: 'status', code: '', description: '' });
  });
});
