import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKey, keyToPem, signingKey } from '../../src/certificates/keys.ts';

describe('keys', () => {
  it('are P-256 or RSA of 2048 bits, as PKCS#8', async () => {
    const [ec, rsa] = await Promise.all([createKey('ec'), createKey('rsa')]);
    expect(ec.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(rsa.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n });
    for (const key of [ec, rsa]) expect(keyToPem(key)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  it.each(['P-256', 'P-384', 'P-521'])('on %s sign, with the hash of their size', async (namedCurve) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve });
    const key = await signingKey(keyToPem(privateKey));
    const [data, { algorithm }] = [Buffer.from('x'), key ?? { algorithm: { name: '', hash: '' } }];
    expect(algorithm).toEqual({ name: 'ECDSA', hash: `SHA-${namedCurve === 'P-521' ? 512 : namedCurve.slice(2)}` });
    const signature = await webcrypto.subtle.sign(algorithm, key!.privateKey, data);
    expect(await webcrypto.subtle.verify(algorithm, key!.publicKey, signature, data)).toBe(true);
  });

  it.each([
    generateKeyPairSync('ed25519').privateKey,
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
  ])('of other kinds sign nothing here (%#)', async (key) => {
    expect(await signingKey(key)).toBeUndefined();
  });
});
