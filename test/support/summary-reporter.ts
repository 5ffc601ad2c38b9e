import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Ends the run with one plain line that any CI can read: `12 passed, 0 failed, 1 skipped`. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.result().state === 'skipped') skipped.push(nameOf(test));
      }
    }
    const lines = skipped.map((name) => `skipped: ${name}`);
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`);
    // Vitest prints its own summary in the same turn: this line must be the last.
    process.once('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.moduleId.split('/test/').at(-1)} > ${test.fullName}`;
}
