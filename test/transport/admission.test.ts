import { describe, expect, it } from 'vitest';
import { admit, ALL_PROTOCOLS, type Protocol } from '../../src/transport/admission.ts';
import type { FirstBytes } from '../../src/transport/sniff.ts';

const RTMP: FirstBytes = { kind: 'rtmp', what: 'RTMP' };
const TLS: FirstBytes = { kind: 'tls', what: 'TLS' };
const HTTP: FirstBytes = { kind: 'http', what: 'HTTP' };
const SSH: FirstBytes = { kind: 'foreign', what: 'SSH' };
const PROXY: FirstBytes = { kind: 'proxy', what: 'a PROXY protocol header' };
const rules = (protocols: readonly Protocol[], canTls = true) => ({ protocols, canTls, behindProxy: false });

describe('admitting a protocol to a door', () => {
  it.each([
    [RTMP, false, ['rtmp'], { to: 'rtmp' }],
    [RTMP, true, ['rtmps'], { to: 'rtmp' }],
    [TLS, false, ['rtmps'], { to: 'tls' }],
    [TLS, false, ['rtmpts'], { to: 'tls' }],
    [TLS, false, ['web'], { to: 'tls' }],
    [HTTP, false, ['rtmpt'], { to: 'http', tunnel: true, web: false }],
    [HTTP, true, ['rtmpts'], { to: 'http', tunnel: true, web: false }],
    [HTTP, false, ['web', 'rtmpts'], { to: 'http', tunnel: false, web: true }],
    [HTTP, true, ALL_PROTOCOLS, { to: 'http', tunnel: true, web: true }],
  ] as const)('lets %j (secure: %s) in where %j is allowed', (first, secure, protocols, admission) => {
    expect(admit(first, secure, rules(protocols))).toEqual(admission);
  });

  it.each([
    [TLS, false, ['rtmp'], 'client speaks TLS on a port that allows only RTMP'],
    [HTTP, false, ['rtmps'], 'client speaks HTTP on a port that allows only RTMPS'],
    [HTTP, true, ['rtmps', 'rtmpt'], 'client speaks HTTP inside TLS on a port that allows only RTMPS and RTMPT'],
    [
      RTMP,
      false,
      ['rtmps', 'rtmpts', 'web'],
      'client speaks RTMP without TLS on a port that allows only RTMPS, RTMPTS and web pages',
    ],
    [RTMP, true, ['rtmp', 'web'], 'client speaks RTMP inside TLS on a port that allows only RTMP and web pages'],
    [TLS, true, ['rtmps'], 'client speaks TLS inside TLS on a port that allows only RTMPS'],
    [SSH, false, ['rtmp', 'rtmpt'], 'client speaks SSH on a port that allows only RTMP and RTMPT'],
  ] as const)('turns %j (secure: %s) away where only %j is allowed', (first, secure, protocols, hint) => {
    expect(admit(first, secure, rules(protocols))).toEqual({ to: 'nobody', kind: first.kind, hint });
  });

  it('says that there is no certificate rather than that TLS is not allowed', () => {
    const hint = 'client speaks TLS, but there is no certificate to answer with';
    expect(admit(TLS, false, rules(ALL_PROTOCOLS, false))).toEqual({ to: 'nobody', kind: 'tls', hint });
  });

  it.each([
    [false, false, /expects none: set proxyProtocol: require for it, or turn it off in the proxy$/],
    [false, true, /^a second PROXY protocol header/],
    [true, false, /inside TLS: it belongs in front of it$/],
    [true, true, /inside TLS/],
  ])('says what to do about a PROXY header (secure: %s, behind a proxy: %s)', (secure, behindProxy, hint) => {
    const admission = admit(PROXY, secure, { ...rules(ALL_PROTOCOLS), behindProxy });
    expect(admission).toEqual({ to: 'nobody', kind: 'proxy', hint: expect.stringMatching(hint) });
  });
});
