import type { X509Certificate } from 'node:crypto';

/** The kinds of keys that are told apart: one certificate of each kind may be served for the same name. */
export type KeyType = 'rsa' | 'ec' | 'other';

/** One certificate with its key, ready for TLS, and what people and the choice by name need to know of it. */
export interface Certificate {
  /** Where it came from, for logs and errors: the path of the certificate file. */
  readonly source: string;
  /** Names it is valid for, lower case: host names, `*.` wildcards and IP addresses. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** SHA-256 over the certificate, as browsers show it. */
  readonly fingerprint: string;
  /** Made by us and signed by nobody: clients that verify will refuse it. */
  readonly development: boolean;
  /** As it is sent: the certificate itself first, its issuers behind it. */
  readonly chain: readonly X509Certificate[];
  /** Permission bits of the file that holds the key; undefined when it never was in one. */
  readonly keyMode?: number;
  readonly material: CertificateMaterial;
}

/** What `tls.createSecureContext` takes; PKCS#12 has been checked or converted before it gets here. */
export type CertificateMaterial =
  | { readonly cert: string; readonly key: string; readonly passphrase?: string }
  | { readonly pfx: Buffer; readonly passphrase?: string };
