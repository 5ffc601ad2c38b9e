import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './programs.ts';

/** PEM files, as `tls.certificates` names them. */
export interface PemFiles {
  /** The certificate, and its issuers but the root. */
  readonly cert: string;
  readonly key: string;
}

export type KeyKind = 'rsa' | 'ec';

/** What a certificate says beside its key. */
interface Wanted {
  readonly name: string;
  readonly key: KeyKind;
  readonly subject: string;
  readonly extensions: readonly string[];
  readonly issuer?: PemFiles;
}

/** A certificate authority of openssl's making, in a folder of its own: a root, and an intermediate below it. */
export class TestAuthority {
  /** Also for what else a test has to put somewhere. */
  readonly folder: string;
  /** What clients are told to trust. */
  readonly root: string;
  readonly #root: PemFiles;
  readonly #intermediate: PemFiles;

  private constructor(folder: string, root: PemFiles, intermediate: PemFiles) {
    this.folder = folder;
    this.root = root.cert;
    this.#root = root;
    this.#intermediate = intermediate;
  }

  static async make(): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-authority-'));
    const signs = 'keyUsage=critical,keyCertSign,cRLSign';
    const root = await certify(folder, {
      name: 'root',
      key: 'ec',
      subject: '/CN=Test root',
      extensions: ['basicConstraints=critical,CA:true', signs],
    });
    const intermediate = await certify(folder, {
      name: 'intermediate',
      key: 'rsa',
      subject: '/CN=Test intermediate',
      extensions: ['basicConstraints=critical,CA:true,pathlen:0', signs],
      issuer: root,
    });
    return new TestAuthority(folder, root, intermediate);
  }

  /** A server's certificate for `names` (`localhost`, `*.example.com`, `127.0.0.1`), signed by the root itself. */
  issue(key: KeyKind, ...names: readonly string[]): Promise<PemFiles> {
    return this.#issue(key, names, this.#root);
  }

  /** The same signed by the intermediate, whose certificate follows it in the file. */
  async issueChain(key: KeyKind, ...names: readonly string[]): Promise<PemFiles> {
    const leaf = await this.#issue(key, names, this.#intermediate);
    const chain = await Promise.all([leaf.cert, this.#intermediate.cert].map((file) => readFile(file, 'utf8')));
    const cert = leaf.cert.replace(/\.pem$/, '-chain.pem');
    await writeFile(cert, chain.join(''));
    return { cert, key: leaf.key };
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  #issue(key: KeyKind, names: readonly string[], issuer: PemFiles): Promise<PemFiles> {
    const [first = 'nobody'] = names;
    const kinds = names.map((name) => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`));
    const by = issuer === this.#root ? 'root' : 'intermediate';
    return certify(this.folder, {
      name: `${first.replace('*', 'any')}-${key}-${by}`,
      key,
      subject: `/CN=${first} ${key} by ${by}`,
      extensions: [
        `subjectAltName=${kinds.join(',')}`,
        'basicConstraints=critical,CA:false',
        'keyUsage=critical,digitalSignature',
        'extendedKeyUsage=serverAuth',
      ],
      issuer,
    });
  }
}

const KEYS: Readonly<Record<KeyKind, readonly string[]>> = {
  rsa: ['-newkey', 'rsa:2048'],
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
};

/** Good for two days: a scanner that looks for certificates about to expire is not what is tested. */
async function certify(folder: string, { name, key, subject, extensions, issuer }: Wanted): Promise<PemFiles> {
  const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const by = issuer === undefined ? [] : ['-CA', issuer.cert, '-CAkey', issuer.key];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  // An empty configuration, or the machine's own adds extensions a second time.
  const args = ['req', '-x509', '-config', '/dev/null', ...KEYS[key], '-nodes', '-sha256', '-days', '2'];
  const files = ['-keyout', made.key, '-out', made.cert];
  const { code, stderr } = await run('openssl', [...args, ...files, '-subj', subject, ...by, ...added]).finished;
  if (code !== 0) throw new Error(`openssl made no certificate for ${subject}: ${stderr}`);
  return made;
}
