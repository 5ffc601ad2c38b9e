import { describe, it } from 'vitest';
import { expectNothingLeft, sayFarewell } from '../support/farewell.ts';

/** Less than one KiB for each visitor: compiled code and grown tables, but no session, buffer or closure of theirs. */
const SLACK_KIB = 900;

describe('after a thousand clients of every kind came and went', () => {
  it('politely, by reset, in mid-message, in mid-POST, in mid-handshake, in mid-TLS: nothing of them is left', async () => {
    const farewell = await sayFarewell(1_000, 170_000);
    process.stdout.write(`${JSON.stringify(farewell)}\n`);
    expectNothingLeft(farewell, SLACK_KIB);
  });
});
