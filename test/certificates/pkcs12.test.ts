import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { openPkcs12, PKCS12_LIMITS } from '../../src/certificates/pkcs12.ts';
import { ConfigError } from '../../src/errors.ts';
import { fixture } from '../support/fixture.ts';

const FILES = [
  ['pkcs12-modern-rsa', ['rsa.example.com']],
  ['pkcs12-modern-ec', ['ec.example.com', '*.live.example.com']],
  ['pkcs12-legacy-rsa', ['rsa.example.com']],
  ['pkcs12-legacy-ec', ['ec.example.com', '*.live.example.com']],
] as const;

describe('PKCS#12 files (must-do 35)', () => {
  it.each(FILES)('opens %s with its passphrase', async (name, names) => {
    const certificate = await openPkcs12('live.p12', fixture(name), 'secret');
    expect(certificate.names).toEqual(names);
    expect(certificate.source).toBe('live.p12');
    expect(() => createSecureContext(certificate.material)).not.toThrow();
  });

  it.each(FILES)('says of %s that the passphrase is wrong', async (name) => {
    await expect(openPkcs12('live.p12', fixture(name), 'wrong')).rejects.toThrow(
      new ConfigError('BAD_CERTIFICATE', 'the passphrase does not open live.p12: check the passphrase'),
    );
  });

  it.each(FILES)('says of %s that a passphrase is needed', async (name) => {
    await expect(openPkcs12('live.p12', fixture(name), undefined)).rejects.toThrow(
      /does not open live\.p12: give its passphrase/,
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('-----BEGIN CERTIFICATE-----')],
    ['half a file', fixture('pkcs12-legacy-rsa').subarray(0, 900)],
  ])('says of %s that it cannot be read', async (_what, bytes) => {
    await expect(openPkcs12('live.p12', bytes, 'secret')).rejects.toThrow(/live\.p12 is not a readable PKCS#12 file/);
  });

  it('looks at files up to 1 MiB and at none beyond', async () => {
    const most = Buffer.alloc(PKCS12_LIMITS.maxBytes);
    await expect(openPkcs12('live.p12', most, 'secret')).rejects.toThrow(/not a readable/);
    const beyond = Buffer.concat([most, Buffer.alloc(1)]);
    await expect(openPkcs12('live.p12', beyond, 'secret')).rejects.toThrow(/larger than any/);
  });
});
