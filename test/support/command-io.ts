import { EventEmitter } from 'node:events';
import type { CommandIo } from '../../src/commands/index.ts';

/** A process for a command: keeps what is printed, and its signals are sent by hand. */
export class FakeIo implements CommandIo {
  readonly env: Record<string, string | undefined> = {};
  readonly terminal = false;
  readonly signals = new EventEmitter();
  readonly version = '1.2.3';
  printed = '';
  complained = '';

  out(text: string): void {
    this.printed += text;
  }

  err(text: string): void {
    this.complained += text;
  }
}
