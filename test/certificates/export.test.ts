import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createAuthority, issue } from '../../src/certificates/authority.ts';
import { writeLegacyPkcs12, writePkcs12 } from '../../src/certificates/export.ts';
import { importPkcs12 } from '../../src/certificates/import.ts';
import { parseChain } from '../../src/certificates/inspect.ts';
import type { KeyKind } from '../../src/certificates/keys.ts';
import { MADE_AT } from '../support/made-certificates.ts';
import { has, missing, run } from '../support/programs.ts';

async function contents(kind: KeyKind, authorityKind: KeyKind, passphrase = 'secret') {
  const authority = await createAuthority({ kind: authorityKind, hostName: 'studio', now: MADE_AT });
  const names = [{ type: 'dns' as const, value: 'live.example' }];
  const pair = await issue(authority, { purpose: 'server', commonName: 'live.example', names, kind, now: MADE_AT });
  return { chain: parseChain(pair.cert, 'x'), key: pair.key, cert: pair.cert, name: 'Live \u2013 1', passphrase };
}

describe('PKCS#12 files that are written (must-do 35)', () => {
  it.each([
    ['ec', 'ec'],
    ['rsa', 'ec'],
    ['rsa', 'rsa'],
  ] as const)('with an %s key under an %s CA are read by Node and by the converter', async (kind, authorityKind) => {
    const given = await contents(kind, authorityKind);
    const p12 = await writePkcs12(given);
    expect(() => createSecureContext({ pfx: p12, passphrase: 'secret' })).not.toThrow();
    expect(() => createSecureContext({ pfx: p12, passphrase: 'wrong' })).toThrow(/mac verify failure/);
    const { cert, key } = await importPkcs12('a.p12', p12, 'secret');
    expect({ cert, key }).toEqual({ cert: given.cert, key: given.key });
  });

  it('in the old form hold RSA, and come back whole', async () => {
    const given = await contents('rsa', 'rsa');
    const p12 = await writeLegacyPkcs12(given);
    // pbeWithSHAAnd3-KeyTripleDES-CBC, 1.2.840.113549.1.12.1.3
    expect(p12.includes(Buffer.from('060a2a864886f70d010c0103', 'hex'))).toBe(true);
    const { cert, key } = await importPkcs12('a.p12', p12, 'secret');
    expect({ cert, key }).toEqual({ cert: given.cert, key: given.key });
  });

  it('are not written in the old form for what would come out wrong', async () => {
    await expect(writeLegacyPkcs12(await contents('ec', 'ec'))).rejects.toThrow(
      /for RSA only, and the key is of another/,
    );
    await expect(writeLegacyPkcs12(await contents('rsa', 'ec'))).rejects.toThrow(
      /for RSA only, and the certificate is/,
    );
  });

  it.each(['', 'gr\u00fcn', 'a\n'])('have no passphrase %j, which programs spell differently', async (passphrase) => {
    const given = await contents('rsa', 'rsa', passphrase);
    await expect(writePkcs12(given)).rejects.toThrow(/passphrase/);
    await expect(writeLegacyPkcs12(given)).rejects.toThrow(/passphrase/);
  });

  it.skipIf(!has('openssl')).each([
    ['ec', 'ec', writePkcs12, []],
    ['rsa', 'ec', writePkcs12, []],
    ['rsa', 'rsa', writeLegacyPkcs12, ['-legacy']],
  ] as const)(
    `with an %s key under an %s CA are opened by openssl${missing('openssl')}`,
    async (kind, authorityKind, write, flags) => {
      const given = await contents(kind, authorityKind);
      const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-export-'));
      await writeFile(join(folder, 'a.p12'), await write(given));
      const args = ['pkcs12', '-in', join(folder, 'a.p12'), '-passin', 'pass:secret', '-nodes', ...flags];
      const { code, stdout } = await run('openssl', args).finished;
      await rm(folder, { recursive: true });
      expect(code).toBe(0);
      const pem = stdout.toString();
      expect(parseChain(pem, 'x').map(({ fingerprint256 }) => fingerprint256)).toEqual(
        given.chain.map(({ fingerprint256 }) => fingerprint256),
      );
      expect(pem).toContain(given.key.split('\n')[1]);
      // The same in key and certificate: it ties them together.
      const ids = [...pem.matchAll(/localKeyID: ([0-9A-F ]+)/g)].map(([, id]) => id?.trim());
      expect(ids).toHaveLength(2);
      expect(new Set(ids).size).toBe(1);
    },
  );
});
