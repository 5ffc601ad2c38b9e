import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import type { PemPair } from './development.ts';

/** What OpenSSL 3 no longer decrypts, read by node-forge. Loaded only when such a file turns up: it is a megabyte of code. */

const { oids } = forge.pki;

/**
 * Takes key and certificates out of a legacy file, the key's own certificate first. Undefined when one of them is not in
 * there. Throws node-forge's own errors.
 */
export function convertLegacy(pfx: Buffer, passphrase: string | undefined): PemPair | undefined {
  const der = forge.asn1.fromDer(pfx.toString('binary'));
  const content = forge.pkcs12.pkcs12FromAsn1(der, false, passphrase ?? '');
  const bagsOf = (type = ''): forge.pkcs12.Bag[] => content.getBags({ bagType: type })[type] ?? [];
  const [keyBag] = [...bagsOf(oids.pkcs8ShroudedKeyBag), ...bagsOf(oids.keyBag)];
  const certificates = bagsOf(oids.certBag).map(readCertificate);
  if (keyBag === undefined || certificates.length === 0) return undefined;
  const key = readKey(keyBag);
  // Bags come in any order; TLS wants the key's own certificate first.
  const leaves = certificates.filter((certificate) => certificate.checkPrivateKey(key));
  const issuers = certificates.filter((certificate) => !leaves.includes(certificate));
  const cert = [...leaves, ...issuers].map(String).join('');
  return { cert, key: String(key.export({ type: 'pkcs8', format: 'pem' })) };
}

/** node-forge knows only RSA; what else it decrypts it leaves as ASN.1, which Node can read. */
function readKey({ key, asn1 }: forge.pkcs12.Bag): KeyObject {
  if (key) return createPrivateKey(forge.pki.privateKeyToPem(key));
  return createPrivateKey({ key: toDer(asn1), format: 'der', type: 'pkcs8' });
}

function readCertificate({ cert, asn1 }: forge.pkcs12.Bag): X509Certificate {
  return new X509Certificate(cert ? forge.pki.certificateToPem(cert) : toDer(asn1));
}

function toDer(asn1: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary');
}
