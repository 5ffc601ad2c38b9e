/** How to make machines and programs trust a CA whose certificate is at `path`; lines of text. */
export function trustInstructions(path: string): string {
  const quoted = /^[\w./:\\-]+$/.test(path) ? path : `"${path}"`;
  const sections = TRUST.map(([where, ...lines]) =>
    [`  ${where}`, ...lines.map((line) => `    ${line.replaceAll('{CA}', quoted)}`)].join('\n'),
  );
  return `To trust it, install ${path} (the certificate, never the key) where clients run:\n${sections.join('\n')}\n`;
}

/** In each first the place, then what to do there; `{CA}` stands for the file. */
const TRUST: ReadonlyArray<readonly [string, ...string[]]> = [
  ['Windows (as administrator), for OBS, Edge and Chrome too', 'certutil -addstore -f Root {CA}'],
  ['macOS', 'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {CA}'],
  ['Debian, Ubuntu', 'sudo cp {CA} /usr/local/share/ca-certificates/ && sudo update-ca-certificates'],
  ['Fedora, RHEL', 'sudo cp {CA} /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust'],
  [
    'Android',
    'Copy the file there; Settings, Security, Encryption & credentials, Install a certificate, CA certificate.',
    'Chrome then takes it; an app does only if its makers allowed for such CAs.',
  ],
  [
    'iPhone, iPad',
    'Send the file there and open it; Settings, Profile Downloaded, Install. Then switch it on in',
    'General, About, Certificate Trust Settings.',
  ],
  [
    'Firefox',
    'On Windows and macOS it asks the system. On Linux: Settings, Privacy & Security, View Certificates,',
    'Authorities, Import.',
  ],
  ['Chromium on Linux', 'certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n rtmp-gateway -i {CA}'],
  [
    'OBS',
    "It looks into the system's store, as above; start it again afterwards. On macOS it knows nothing but",
    "Apple's own list: there take a certificate of a public authority, or plain RTMP.",
  ],
  [
    'FFmpeg',
    'ffmpeg … -f flv -tls_verify 1 -ca_file {CA} rtmps://HOST:8443/live/test',
    'Up to version 8 it verifies nothing without these flags, and works without them.',
  ],
  ['curl, Node.js', 'curl --cacert {CA} https://HOST:8443/, NODE_EXTRA_CA_CERTS={CA}'],
];
