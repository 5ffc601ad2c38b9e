import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../support/summary-reporter.ts';

/** `npm run soak`: minutes, not seconds. One file after the other, because they measure time. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.soak.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', new SummaryReporter()],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
