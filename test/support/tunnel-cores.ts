import type { Duplex } from 'node:stream';
import { afterEach } from 'vitest';
import { seeded } from './random.ts';
import { TunnelRig, type RigOptions } from './tunnel-rig.ts';

/** RTMP greetings by length and first byte only; nothing here looks further. */
export const C0C1 = Buffer.concat([Buffer.of(3), seeded(1).bytes(1536)]);
export const S0S1S2 = Buffer.concat([Buffer.of(3), seeded(2).bytes(3072)]);
export const C2 = seeded(3).bytes(1536);

/** Answers C0C1 with S0S1S2 in two writes, a turn apart; what comes behind C2 with `_result` and itself. */
export function greeter(stream: Duplex): void {
  let seen = 0;
  stream.on('data', (bytes: Buffer) => {
    const before = seen;
    seen += bytes.length;
    if (before < 1537 && seen >= 1537) {
      stream.write(S0S1S2.subarray(0, 1537));
      setImmediate(() => stream.write(S0S1S2.subarray(1537)));
    }
    const command = bytes.subarray(Math.max(0, 3073 - before));
    if (command.length > 0) stream.write(Buffer.concat([Buffer.from('_result '), command]));
  });
}

export function echo(stream: Duplex): void {
  stream.on('data', (bytes: Buffer) => stream.write(bytes));
}

export function text({ body }: { readonly body: Buffer }): string {
  return body.toString('latin1');
}

/** Passes once everything that is under way in this process has been dealt with. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Starts rigs with these options, and stops them after each test. */
export function rigs(common: RigOptions = {}): (options?: RigOptions) => Promise<TunnelRig> {
  const started: TunnelRig[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((rig) => rig.stop()));
  });
  return async (options = {}) => {
    const rig = await TunnelRig.start({ ...common, ...options });
    started.push(rig);
    return rig;
  };
}
