import { afterAll, beforeAll } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { describePublishPlay } from './publish-play.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({ core: { grace: '100ms' } });
});

afterAll(() => gateway?.stop());

describePublishPlay('the built-in core', () => gateway);
