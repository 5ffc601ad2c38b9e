import { describeProxyMatrix } from '../support/proxy-matrix.ts';

describeProxyMatrix(4, [
  ['rtmpt', ['ffmpeg', 'rtmpts']],
  ['rtmpts', ['rtmpdump', 'rtmpt']],
]);
