import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { has, missing } from '../support/programs.ts';
import { startWithDevelopmentCa, type DevelopmentGateway } from '../support/tls-development.ts';
import { scan, worseThan } from '../support/tls-scanner.ts';

/**
 * What testssl says of every private CA: its certificates name no place where one could ask whether they have been
 * withdrawn. For a CA that lives in a folder there is no such place.
 */
const NOT_APPLICABLE = /^cert_revocation/;

describe.skipIf(!has('testssl'))(`testssl on the HTTPS door, at the defaults${missing('testssl')}`, () => {
  for (const kind of ['ec', 'rsa']) {
    describe(`with a certificate of kind ${kind} from certs init, its CA trusted`, () => {
      let gateway: DevelopmentGateway;

      beforeAll(async () => {
        gateway = await startWithDevelopmentCa('localhost', '127.0.0.1', '--key', kind);
      });

      afterAll(() => gateway?.stop());

      it('finds nothing above LOW', async () => {
        const findings = await scan(gateway.ports.https, 'localhost', gateway.root, gateway.folder);
        const low = findings.filter(({ severity }) => severity === 'LOW' || severity === 'WARN');
        for (const { id, severity, finding } of low) process.stdout.write(`${kind}: ${severity} ${id}: ${finding}\n`);
        expect(worseThan('LOW', findings).filter(({ id }) => !NOT_APPLICABLE.test(id))).toEqual([]);
        // It came to its end, and trusts the CA.
        expect(findings).toContainEqual(expect.objectContaining({ id: 'cert_chain_of_trust', severity: 'OK' }));
        expect(findings).toContainEqual(expect.objectContaining({ id: 'LUCKY13' }));
      }, 600_000);
    });
  }
});
