import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { writePkcs12 } from '../../src/certificates/export.ts';
import { importPkcs12 } from '../../src/certificates/import.ts';
import { fixture } from '../support/fixture.ts';
import { makeCertificate, makeChain } from '../support/made-certificates.ts';

describe('PKCS#12 files that are taken apart (must-do 35)', () => {
  it.each(['pkcs12-modern-rsa', 'pkcs12-modern-ec', 'pkcs12-legacy-rsa', 'pkcs12-legacy-ec'])('%s', async (name) => {
    const { cert, key, chain } = await importPkcs12('live.p12', fixture(name), 'secret');
    expect(cert).toBe(chain.map(String).join(''));
    expect(chain[0].checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  it('have one clear message for a wrong passphrase, and one for none', async () => {
    for (const name of ['pkcs12-modern-ec', 'pkcs12-legacy-rsa']) {
      await expect(importPkcs12('live.p12', fixture(name), 'wrong')).rejects.toThrow(
        /^the passphrase does not open live\.p12: check/,
      );
      await expect(importPkcs12('live.p12', fixture(name), undefined)).rejects.toThrow(
        /^the passphrase does not open live\.p12: give/,
      );
    }
  });

  it('come out in the order of the chain, without what does not belong to it', async () => {
    const { root, intermediate, server } = await makeChain();
    const other = await makeCertificate({ name: 'Other', ca: true });
    const [s, r, i, o] = [server, root, intermediate, other].map(({ certificate }) => certificate);
    const chain = [s!, r!, o!, i!] as const;
    const p12 = await writePkcs12({ chain, key: server.key, name: 'x', passphrase: 'secret' });
    const made = await importPkcs12('live.p12', p12, 'secret');
    expect(made.chain.map(({ subject }) => subject)).toEqual(['CN=live.example', 'CN=Intermediate', 'CN=Root']);
    expect(made.left.map(({ subject }) => subject)).toEqual(['CN=Other']);
  });
});
