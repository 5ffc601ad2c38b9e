import { describe, expect, it } from 'vitest';
import { TicketKeys } from '../../src/certificates/tickets.ts';

const HOUR = 3_600_000;
const keys = new TicketKeys('a secret of a group of gateways', 12 * HOUR);

describe('ticket keys (must-do 31)', () => {
  it('are 48 bytes, the same for everybody who knows the secret', () => {
    const other = new TicketKeys('a secret of a group of gateways', 12 * HOUR);
    expect(keys.keys('', 0)).toHaveLength(48);
    expect(other.keys('realm', 5 * HOUR)).toEqual(keys.keys('realm', HOUR));
  });

  it('differ by secret and by realm', () => {
    expect(new TicketKeys('another', 12 * HOUR).keys('', 0)).not.toEqual(keys.keys('', 0));
    expect(keys.keys('a', 0)).not.toEqual(keys.keys('b', 0));
  });

  it('change when their time is over, and not before', () => {
    const first = keys.keys('', 0);
    expect(keys.changesAt(0)).toBe(12 * HOUR);
    expect(keys.keys('', 12 * HOUR - 1)).toEqual(first);
    expect(keys.keys('', 12 * HOUR)).not.toEqual(first);
    expect(keys.changesAt(12 * HOUR)).toBe(24 * HOUR);
  });
});
