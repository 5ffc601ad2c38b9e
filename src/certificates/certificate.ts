/** One certificate with its key, ready for TLS, and what people and the choice by name need to know of it. */
export interface Certificate {
  /** Where it came from, for logs and errors: the path of the certificate file. */
  readonly source: string;
  /** Names it is valid for, lower case: host names, `*.` wildcards and IP addresses. */
  readonly names: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
  /** SHA-256 over the certificate, as browsers show it. */
  readonly fingerprint: string;
  /** Made by us and signed by nobody: clients that verify will refuse it. */
  readonly development: boolean;
  /** Its issuer is itself: it needs no chain. */
  readonly selfIssued: boolean;
  readonly material: CertificateMaterial;
}

/** What `tls.createSecureContext` takes; PKCS#12 has been checked or converted before it gets here. */
export interface CertificateMaterial {
  readonly cert?: string;
  readonly key?: string;
  readonly pfx?: Buffer;
  readonly passphrase?: string;
}
