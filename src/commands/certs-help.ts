import { AUTHORITY_DEFAULTS } from '../certificates/index.ts';
import { PASSPHRASE_VARIABLE } from './certs-files.ts';

const STATUS = `Exit status: 0 done, 1 failed, 2 wrong usage or configuration.`;
const HELP = `  -h, --help                      this text`;
const DIRECTORY = `  --certs DIR                     the certificate directory (default: tls.directory, which is certs)
  --config FILE                   the configuration file that names it (default: as for serve)`;
const KEY = `  --key ec|rsa                    the kind of key: elliptic (P-256, the default) or RSA (2048 bits)`;
const FORCE = `  --force                         replaces files that are there`;
const PASSPHRASE = `  --passphrase TEXT               of the PKCS#12 file; better in the environment, as
                                  ${PASSPHRASE_VARIABLE}`;

/** `rtmp-gateway certs --help` */
export const CERTS_HELP = `Usage: rtmp-gateway certs COMMAND …

Makes, converts and examines certificates. The gateway serves every pair of certificate and key (NAME.crt
and NAME.key, fullchain.pem and privkey.pem, NAME.pem and NAME-key.pem) in the certificate directory.

Commands
  init [NAME…]                    a development CA, a server certificate signed by it, and how to trust it
  client NAME                     a client certificate for an encoder, as PKCS#12 and PEM
  request NAME…                   a key and a signing request, for an authority
  import FILE.p12                 PKCS#12 into a pair of PEM files
  export NAME|CERT KEY            such a pair into PKCS#12
  inspect FILE|HOST:PORT          what it is, what is wrong with it, and what each client will say

${HELP}; each command has its own

${STATUS}
`;

export const INIT_HELP = `Usage: rtmp-gateway certs init [NAME…] [flags]

Makes a small development CA (once; DIR/ca/rtmp-gateway-ca.crt) and a server certificate signed by it
(DIR/server.crt and server.key, or server.rsa.crt and server.rsa.key), and says how to make machines trust
that CA. NAMEs are host names, wildcards (*.example.com) and addresses; without any: localhost, this
machine's name, 127.0.0.1 and ::1, or what the certificate had before. Run it again to renew.

${DIRECTORY}
${KEY}
  --days N                        how long it is valid (default: ${AUTHORITY_DEFAULTS.serverDays}, which is also the most)
${FORCE} and are not ours
  --new-ca                        makes another CA, as when the key of the old one was lost or stolen
${HELP}

${STATUS}
`;

export const CLIENT_HELP = `Usage: rtmp-gateway certs client NAME [flags]

Makes a client certificate for an encoder, signed by the development CA: DIR/clients/NAME.p12, and the
same as NAME.crt and NAME.key. NAME is what the gateway will know the encoder by. Without a passphrase one
is made up and printed. For gateways whose configuration has tls.clientCa.

${DIRECTORY}
${KEY}
  --days N                        how long it is valid (default: ${AUTHORITY_DEFAULTS.clientDays})
${PASSPHRASE}
  --legacy                        writes PKCS#12 for old systems (triple DES); RSA keys and CA only
${FORCE}
${HELP}

${STATUS}
`;

export const REQUEST_HELP = `Usage: rtmp-gateway certs request NAME… [flags]

Makes a key and a signing request (PKCS#10) for these host names and addresses: DIR/NAME.key and NAME.csr,
called after the first. What the authority sends back goes to DIR/NAME.crt, with its whole chain.

${DIRECTORY}
${KEY}
  --as NAME                       what the files are called
${FORCE}
${HELP}

${STATUS}
`;

export const IMPORT_HELP = `Usage: rtmp-gateway certs import FILE.p12 [flags]

Takes a PKCS#12 file (.p12, .pfx) apart into DIR/FILE.crt, with the chain in order, and DIR/FILE.key. Old
files, encrypted with RC2 or triple DES, are read as well.

${DIRECTORY}
${PASSPHRASE}
  --as NAME                       what the files are called
${FORCE}
${HELP}

${STATUS}
`;

export const EXPORT_HELP = `Usage: rtmp-gateway certs export NAME --out FILE.p12 [flags]
       rtmp-gateway certs export CERT KEY --out FILE.p12 [flags]

Puts a certificate with its chain and its key into one PKCS#12 file (AES-256). NAME is a pair in the
certificate directory; CERT and KEY are two files. Without a passphrase one is made up and printed.

${DIRECTORY}
  --out FILE.p12                  the file to write
${PASSPHRASE}
  --key-passphrase TEXT           of the key, if it is encrypted
  --legacy                        for old systems (triple DES); RSA keys under RSA authorities only
${FORCE}
${HELP}

${STATUS}
`;

export const INSPECT_HELP = `Usage: rtmp-gateway certs inspect FILE|HOST:PORT [flags]

Shows a certificate with its chain (PEM, DER, PKCS#12; signing requests, too) or what a TLS server sends,
what is wrong with it, and what OBS, FFmpeg, rtmpdump, GStreamer, browsers and phones will say to it. A
server may also be written as rtmps://HOST.

  --ca FILE                       an authority to trust besides this machine's; may come several times
${PASSPHRASE}
${HELP}

Exit status: 0 done, 1 clients that verify will refuse it or it cannot be reached, 2 wrong usage.
`;
