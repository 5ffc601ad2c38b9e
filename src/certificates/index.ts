/**
 * The gateway's certificates and keys: finding, checking, converting and, for development, making them. The only room
 * that uses selfsigned and node-forge.
 */
export type { Certificate, CertificateMaterial, KeyType } from './certificate.ts';
export { findingsOf, type Finding, type FindingCode, type FindingContext, type FindingLevel } from './findings.ts';
export { LiveCertificates, type LiveOptions } from './live.ts';
export { CertificateStore, DEVELOPMENT_FILES, type CertificateOptions, type CertificateSource } from './store.ts';
export { TICKET_DEFAULTS, TicketKeys, type TicketOptions } from './tickets.ts';
