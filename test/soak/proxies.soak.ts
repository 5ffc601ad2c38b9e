import { describeProxyMatrix } from '../support/proxy-matrix.ts';

describeProxyMatrix(60, [
  ['rtmpt', ['ffmpeg', 'rtmpt'], ['ffmpeg', 'rtmpts'], ['rtmpdump', 'rtmpt'], ['rtmpdump', 'rtmpts']],
  ['rtmpts', ['ffmpeg', 'rtmpt'], ['ffmpeg', 'rtmpts'], ['rtmpdump', 'rtmpt'], ['rtmpdump', 'rtmpts']],
]);
