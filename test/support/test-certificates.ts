import { generate } from 'selfsigned';
import { CertificateStore, TICKET_DEFAULTS, TicketKeys, type Certificate } from '../../src/certificates/index.ts';
import { fromPem } from '../../src/certificates/inspect.ts';
import type { CertificateChoice } from '../../src/transport/tls-server.ts';

/** Certificates as a TLS front wants them, which a test can change as new files would. */
export class TestCertificates implements CertificateChoice {
  store: CertificateStore;
  tickets: TicketKeys;
  /** What `Date.now()` would say. */
  time = 0;
  readonly #listeners = new Set<() => void>();

  constructor(store: CertificateStore, tickets: TicketKeys = new TicketKeys('secret', TICKET_DEFAULTS.rotationMs)) {
    this.store = store;
    this.tickets = tickets;
  }

  get fallback(): readonly Certificate[] {
    return this.store.fallback;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  choose(serverName: string): readonly Certificate[] {
    return this.store.choose(serverName);
  }

  trust(path: string): string {
    return this.store.trust(path);
  }

  ticketKeys(realm: string): Buffer {
    return this.tickets.keys(realm, this.time);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something has changed. */
  change(store: CertificateStore = this.store): void {
    this.store = store;
    for (const listener of this.#listeners) listener();
  }
}

/** One self-signed certificate for each list of names; the first is the default. */
export async function testCertificates(...lists: readonly [string[], ...string[][]]): Promise<TestCertificates> {
  const [first, ...others] = await Promise.all(lists.map((names) => selfSigned(names)));
  if (first === undefined) throw new RangeError('no certificate asked for');
  return new TestCertificates(new CertificateStore([first, ...others]));
}

export async function selfSigned(names: readonly string[], keyType: 'ec' | 'rsa' = 'ec'): Promise<Certificate> {
  const commonName = { name: 'commonName', value: names[0] ?? '' };
  const altNames = names.map((value) => ({ type: 2 as const, value }));
  const made = await generate([commonName], {
    keyType,
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return fromPem({ certPath: `${names[0]}.pem`, keyPath: `${names[0]}.key`, cert: made.cert, key: made.private });
}
