/**
 * The gateway's certificates and keys: finding, checking, converting and, for development, making them. The only room
 * that uses selfsigned, @peculiar/x509, pkijs and node-forge.
 */
export type { Certificate, CertificateMaterial, KeyType } from './certificate.ts';
export { AUTHORITY_DEFAULTS, authorityFault, createAuthority, isOurs, issue } from './authority.ts';
export type { PemPair } from './development.ts';
export { pathFrom, shortName } from './chain.ts';
export { verdictsOf, type Verdict } from './clients.ts';
export { writeLegacyPkcs12, writePkcs12, type Pkcs12Contents } from './export.ts';
export { findingsOf, type Finding, type FindingCode, type FindingContext, type FindingLevel } from './findings.ts';
export { importPkcs12, type ImportedPair } from './import.ts';
export { fromPem, parseChain } from './inspect.ts';
export type { KeyKind } from './keys.ts';
export { namesOf } from './names.ts';
export { PKCS12_LIMITS } from './pkcs12.ts';
export { LiveCertificates, type LiveOptions } from './live.ts';
export { createRequest, readRequest, type RequestContents, type SigningRequest } from './request.ts';
export { signatureOf } from './signature.ts';
export { commonNameFor, readSubjectName, SUBJECT_NAME_LIMITS, type SubjectName } from './subject-names.ts';
export { CertificateStore, DEVELOPMENT_FILES, type CertificateOptions, type CertificateSource } from './store.ts';
export { TICKET_DEFAULTS, TicketKeys, type TicketOptions } from './tickets.ts';
