import { openDirectWay } from '../support/door-way.ts';
import { describeTransport } from './transport.ts';

// Both kernels' socket buffers grow by themselves, to some megabytes on loopback.
const direct = { halfClose: true, maxUnreadBytes: 16 * 1024 * 1024 };

describeTransport('rtmp', { ...direct, scheme: 'rtmp', secure: false }, (handler) => openDirectWay('rtmp', handler));

describeTransport('rtmps', { ...direct, scheme: 'rtmps', secure: true }, (handler) => openDirectWay('rtmps', handler));
