import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { has, missing } from '../support/programs.ts';
import { TestAuthority } from '../support/tls-authority.ts';
import { shakeHands, TLS_ALERT, type HandshakeOptions } from '../support/tls-clients.ts';
import { startTlsGateway, type TlsGateway } from '../support/tls-rig.ts';

const HOST = 'localhost';

describe.skipIf(!has('openssl'))(`RSA and EC side by side${missing('openssl')}`, () => {
  let authority: TestAuthority;
  let both: TlsGateway;
  let alone: TlsGateway;

  beforeAll(async () => {
    authority = await TestAuthority.make();
    const [rsa, ec] = await Promise.all([authority.issue('rsa', HOST), authority.issue('ec', HOST)]);
    both = await startTlsGateway(rsa, ec);
    alone = await startTlsGateway(ec);
  });

  afterAll(async () => {
    await both?.stop();
    await alone?.stop();
    await authority?.remove();
  });

  const offers: ReadonlyArray<readonly [string, HandshakeOptions, 'rsa' | 'ec' | '(?:rsa|ec)']> = [
    ['only RSA, TLS 1.2', { version: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'rsa'],
    ['only ECDSA, TLS 1.2', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, 'ec'],
    ['only RSA, TLS 1.3', { version: 'TLSv1.3', signatures: 'RSA-PSS+SHA256:RSA+SHA256' }, 'rsa'],
    ['only ECDSA, TLS 1.3', { version: 'TLSv1.3', signatures: 'ECDSA+SHA256' }, 'ec'],
    // Up to TLS 1.2 the kind follows from the cipher, and both are as good.
    ['both, TLS 1.2', { version: 'TLSv1.2' }, '(?:rsa|ec)'],
    ['both, TLS 1.3', { version: 'TLSv1.3' }, 'ec'],
  ];
  for (const serverName of [HOST, undefined]) {
    it.each(offers)(`a client that takes %s, with ${serverName ?? 'no name'}, gets what it can use`, async (...row) => {
      const [, offer, expected] = row;
      const named = serverName === undefined ? {} : { serverName };
      const { subject, said } = await shakeHands(both.port('defaults'), {
        ...offer,
        ...named,
      });
      expect(subject, said).toMatch(new RegExp(`^${HOST} ${expected} by root$`));
    });
  }

  it('does not exist with one certificate: the other kind of client is refused', async () => {
    const port = alone.port('defaults');
    const refused = await shakeHands(port, { version: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
    expect(refused).toMatchObject({ succeeded: false, alert: TLS_ALERT.handshakeFailure });
  });
});
