import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { HttpProbe } from '../support/http-probe.ts';

/** Beyond what proxies keep an idle connection for by default (nginx: 75 s): they must be the ones to hang up. */
const REST_MS = 80_000;

describe('a connection of a proxy that nobody uses', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });

  afterAll(() => gateway?.stop());

  it.each(['tunnel', 'web'])(`still serves after ${REST_MS / 1000} s (%s)`, async (engine) => {
    const resting = await HttpProbe.connect(gateway.ports.http);
    if (engine === 'web') resting.write('GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n');
    else resting.send('/fcs/ident2');
    await resting.answer();
    await pause(REST_MS);
    const { status } = await resting.post('/open/1');
    expect(status).toBe(200);
    resting.destroy();
  });
});
