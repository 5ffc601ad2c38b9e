import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { run } from '../../src/commands/index.ts';
import type { Runnable } from '../../src/commands/index.ts';
import type { Config } from '../../src/config/index.ts';
import { createLog } from '../../src/log.ts';
import { FakeIo } from '../support/command-io.ts';

/** A gateway that is started, stopped and destroyed by hand. */
class FakeGateway implements Runnable {
  readonly calls: string[] = [];
  start = async (): ReturnType<Runnable['start']> => [
    { host: '::', port: 4000, protocols: ['rtmp', 'web'], behindProxy: false },
  ];
  stop = async (): Promise<void> => {};

  constructor() {
    const [start, stop] = [() => this.start(), () => this.stop()];
    this.recorded = {
      start: () => (this.calls.push('start'), start()),
      stop: () => (this.calls.push('stop'), stop()),
      destroy: () => void this.calls.push('destroy'),
      reloadCertificates: async () => (this.calls.push('reload'), true),
      reloadRelays: () => ({ added: 0, removed: 0, kept: 0 }),
      adminPort: 4001,
    };
  }

  readonly recorded: Runnable;
  destroy(): void {}
  reloadCertificates = async (): Promise<boolean> => true;
  reloadRelays = (): ReturnType<Runnable['reloadRelays']> => ({ added: 0, removed: 0, kept: 0 });
  readonly adminPort = 4001;
}

function setUp(...args: string[]) {
  const io = new FakeIo();
  const gateway = new FakeGateway();
  const lines: string[] = [];
  const configs: Config[] = [];
  const go = () =>
    run(['serve', ...args], io, {
      createLog: (options) => createLog(options, { write: (line) => void lines.push(line) }),
      createGateway: (config) => (configs.push(config), gateway.recorded),
    });
  const events = () => lines.map((line) => (JSON.parse(line) as { event?: string }).event);
  return { io, gateway, go, lines, events, configs };
}

/** Resolves once the gateway is up. */
async function untilReady(io: FakeIo): Promise<void> {
  while (!io.printed.includes('ready')) await new Promise(setImmediate);
}

test('prints the addresses for people, logs one ready line, and stops at SIGTERM with status 0', async () => {
  const { io, gateway, go, lines, events, configs } = setUp('--rtmp', '0', '--http', 'off', '--https', 'off');
  const done = go();
  await untilReady(io);
  expect(io.printed).toBe(
    'rtmp-gateway 1.2.3 is ready:\n  rtmp://localhost:4000/APP/STREAM\n  http://localhost:4000/\n  https://localhost:4000/\n',
  );
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'ready', ports: [4000] });
  io.signals.emit('SIGTERM');
  expect(await done).toBe(0);
  expect(gateway.calls).toEqual(['start', 'stop', 'destroy']);
  expect(events()).toEqual(['ready', 'stopping', 'stopped']);
  expect(configs[0]?.listen.map(({ port }) => port)).toEqual([0]);
});

test('says where those who run it may ask, when there is such a place', async () => {
  const { io, go, lines } = setUp('--rtmp', '0', '--admin', '0');
  const done = go();
  await untilReady(io);
  expect(io.printed).toContain('\n  http://127.0.0.1:4001/api/v1/relays, for those who run it\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'ready', admin: 4001 });
  io.signals.emit('SIGTERM');
  await done;
});

test('leaves no handler behind', async () => {
  const { io, go } = setUp();
  const done = go();
  await untilReady(io);
  io.signals.emit('SIGINT');
  await done;
  expect(io.signals.eventNames()).toEqual([]);
});

test('a second signal stops at once, with status 1', async () => {
  const { io, gateway, go } = setUp();
  gateway.stop = () => new Promise(() => {});
  const done = go();
  await untilReady(io);
  io.signals.emit('SIGTERM');
  io.signals.emit('SIGINT');
  expect(await done).toBe(1);
  expect(gateway.calls.at(-1)).toBe('destroy');
});

test('a signal while it starts stops it as soon as it is up', async () => {
  const { io, gateway, go, events } = setUp();
  gateway.start = async () => (io.signals.emit('SIGTERM'), []);
  expect(await go()).toBe(0);
  expect(gateway.calls).toEqual(['start', 'stop', 'destroy']);
  expect(events()).toContain('stopping');
});

test('two signals while it starts end it without waiting', async () => {
  const { io, gateway, go } = setUp();
  gateway.start = () => (io.signals.emit('SIGTERM'), io.signals.emit('SIGTERM'), new Promise(() => {}));
  expect(await go()).toBe(1);
  expect(gateway.calls).toEqual(['start', 'destroy']);
});

test('SIGHUP reloads, once for each signal, and it goes on', async () => {
  const { io, gateway, go, events } = setUp();
  const done = go();
  await untilReady(io);
  io.signals.emit('SIGHUP');
  io.signals.emit('SIGHUP');
  await vi.waitFor(() => expect(gateway.calls).toEqual(['start', 'reload', 'reload']));
  io.signals.emit('SIGTERM');
  expect(await done).toBe(0);
  expect(events().filter((event) => event === 'reload')).toHaveLength(2);
});

test('a port in use is one line and status 1', async () => {
  const { io, gateway, go } = setUp();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  gateway.start = () => new Promise((_, reject) => void createServer().on('error', reject).listen(port, '127.0.0.1'));
  expect(await go()).toBe(1);
  taken.close();
  expect(io.complained).toBe(
    `rtmp-gateway: cannot listen on 127.0.0.1:${port}: the port is in use; stop the program that has it, or choose another port\n`,
  );
  expect(gateway.calls).toEqual(['start', 'destroy']);
});

test('a wrong configuration is said before anything is opened, with status 2', async () => {
  const { io, gateway, go } = setUp('--rtmp', 'x', '--log-level', 'loud');
  expect(await go()).toBe(2);
  expect(io.complained.trim().split('\n')).toEqual([
    '--log-level: expected one of debug, info, warn, error, silent, got "loud"',
    '--rtmp: expected [HOST:]PORT or off, got "x"',
  ]);
  expect(gateway.calls).toEqual([]);
});

test('a fault of ours is not hidden', async () => {
  const { gateway, go } = setUp();
  gateway.start = async () => {
    throw new TypeError('bug');
  };
  await expect(go()).rejects.toThrow('bug');
  expect(gateway.calls).toEqual(['start', 'destroy']);
});
