/**
 * The gateway's certificates and keys: finding, checking, converting and, for development, making them. The only room
 * that uses selfsigned and node-forge.
 */
export type { Certificate, CertificateMaterial } from './certificate.ts';
export { CertificateStore, DEVELOPMENT_FILES, type CertificateOptions, type CertificateSource } from './store.ts';
