import { memoryDial } from '../support/memory-link.ts';
import { describeTransport } from './transport.ts';

describeTransport(
  'memory',
  { scheme: 'rtmp', secure: false, halfClose: true, maxUnreadBytes: 1024 * 1024 },
  async (handler) => ({ dial: memoryDial(handler), close: async () => {} }),
);
