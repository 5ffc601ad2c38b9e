import { expect, test } from 'vitest';
import * as certsHelp from '../../src/commands/certs-help.ts';
import { CHECK_HELP, SERVE_HELP } from '../../src/commands/help.ts';
import { SERVE_FLAGS } from '../../src/commands/serve.ts';

test('every flag of serve is explained', () => {
  for (const flag of Object.keys(SERVE_FLAGS)) expect(SERVE_HELP).toContain(`  --${flag} `);
});

test('fits a window of 110 columns and ends with a line end', () => {
  for (const text of [SERVE_HELP, CHECK_HELP, ...Object.values(certsHelp)]) {
    expect(text.endsWith('\n')).toBe(true);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  }
});
