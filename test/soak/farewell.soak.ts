import { describe, it } from 'vitest';
import { expectNothingLeft, sayFarewell } from '../support/farewell.ts';

/** Measured: the heap ends smaller than it was. One forgotten session of each kind of visitor would not fit into this. */
const SLACK_KIB = 384;

describe('after a thousand clients of every kind came and went', () => {
  it('politely, by reset, in mid-message, in mid-POST, in mid-handshake, in mid-TLS: nothing of them is left', async () => {
    const farewell = await sayFarewell(1_000, 1_500, 170_000);
    process.stdout.write(`${JSON.stringify(farewell)}\n`);
    expectNothingLeft(farewell, 1_000, SLACK_KIB);
  });
});
