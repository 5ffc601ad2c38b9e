import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { certs, folders } from '../support/certs-command.ts';
import { fixture } from '../support/fixture.ts';
import { makeCertificate, makeChain } from '../support/made-certificates.ts';

const folder = folders();
const inspect = (...args: string[]) => certs(['inspect', ...args]);
let directory = '';
beforeAll(async () => {
  directory = folder();
  await certs(['init', 'localhost', '--certs', directory]);
});

function file(name: string, data: string | Buffer, mode = 0o600): string {
  const path = join(folder(), name);
  writeFileSync(path, data, { mode });
  return path;
}

test('shows a file with its key, what is wrong, and what clients will say', async () => {
  const path = join(directory, 'server.crt');
  const { status, printed } = await inspect(path);
  expect(status).toBe(0);
  expect(printed).toContain(`${path}\n  1. localhost\n     names       localhost\n`);
  expect(printed).toContain(`Private key: ${join(directory, 'server.key')} (mode 0600), belongs to it\n`);
  expect(printed).toMatch(/^Findings\n {2}note {5}.* is signed by a development CA/m);
  expect(printed).toMatch(/^Clients\n {2}OBS +takes it once the CA is in the system's store/m);
});

test('must-do 33: warns of leaf-only chains, SHA-1, expired certificates and open keys', async () => {
  const { server } = await makeChain({ hash: 'SHA-1', to: -1 });
  const path = file('a.pem', server.cert + server.key, 0o644);
  const { status, printed } = await inspect(path);
  expect(status).toBe(1);
  for (const words of ['OBS will refuse', 'SHA-1, which can be forged', 'expired on 2026-02-28', 'open to everybody'])
    expect(printed.replaceAll(/\s+/g, ' ')).toContain(words);
  expect(printed).toMatch(/^ {2}OBS +refuses it: it has expired; the intermediate certificate is missing; its/m);
  expect(printed).toMatch(/^ {2}rtmpdump, librtmp +takes it: it verifies nothing/m);
});

test('says of a key that it is of another certificate, and of an encrypted one that it cannot know', async () => {
  const [a, b] = await Promise.all([makeCertificate(), makeCertificate()]);
  expect((await inspect(file('a.pem', a.cert + b.key))).printed).toContain('DOES NOT BELONG TO IT');
  const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n';
  expect((await inspect(file('a.pem', a.cert + encrypted))).printed).toContain('encrypted, so it was not compared');
});

test('reads DER, PKCS#12 with its passphrase, and signing requests', async () => {
  const { certificate } = await makeCertificate();
  expect((await inspect(file('a.cer', certificate.raw))).printed).toContain('  1. live.example\n');
  const p12 = file('a.p12', fixture('pkcs12-legacy-ec'));
  expect((await inspect(p12, '--passphrase', 'secret')).printed).toContain('names       ec.example.com, *.live');
  expect((await inspect(p12)).complained).toMatch(/the passphrase does not open .*: give its passphrase/);
  await certs(['request', 'a.example', '--certs', directory]);
  const { status, printed } = await inspect(join(directory, 'a.example.csr'));
  expect(status).toBe(0);
  expect(printed).toMatch(/A signing request, no certificate yet[^]*names {7}a\.example\n/);
});

test.each([
  ['nothing', '', /is not a readable PKCS#12 file/],
  ['a key', '-----BEGIN PRIVATE KEY-----\n', /is a private key; name its certificate/],
  ['half a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n', /cannot be read: the file looks damaged/],
  [
    'half a request',
    '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n',
    /cannot be read/,
  ],
])('says of %s what it is', async (_what, data, words) => {
  const { status, complained } = await inspect(file('a.pem', data));
  expect(status).toBe(2);
  expect(complained).toMatch(words);
});

test('looks at a server: chain, handshake, trust, and whether the name fits', async () => {
  const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(join(directory, name)));
  const server = tls.createServer({ cert: cert!, key: key! }, (socket) => socket.on('error', () => {}));
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ca = join(directory, 'ca', 'rtmp-gateway-ca.crt');
  const [trusted, distrusted, byAddress] = [
    await inspect(`localhost:${port}`, '--ca', ca),
    await inspect(`rtmps://localhost:${port}/live/a`),
    await inspect(`127.0.0.1:${port}`, '--ca', ca),
  ];
  server.close();
  expect(trusted.status).toBe(0);
  expect(trusted.printed).toMatch(
    new RegExp(`^localhost:${port}\n {2}TLSv1\\.3, TLS_AES_256_GCM_SHA384, X25519\n {2}1\\. localhost\n`),
  );
  expect(trusted.printed).toMatch(/^This machine trusts it \(by .*rtmp-gateway-ca\.crt\)$/m);
  expect(distrusted.printed).toMatch(/^This machine does not trust it: its CA is not installed here \(by /m);
  // Some machines have no IPv4 address behind that name.
  if (byAddress.printed !== '') {
    expect(byAddress.status).toBe(1);
    expect(byAddress.printed.replaceAll(/\s+/g, ' ')).toContain('is for localhost and not for 127.0.0.1');
  }
});

test('says why a server cannot be looked at, with status 1', async () => {
  const server = tls.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  expect(await inspect(`127.0.0.1:${port}`)).toEqual({
    status: 1,
    printed: '',
    complained: `127.0.0.1:${port}: connection refused: nothing listens there\n`,
  });
  expect((await inspect('nothing.crt')).complained).toMatch(
    /^nothing\.crt: there is no such file; a server is written/,
  );
});
