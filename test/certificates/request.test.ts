import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRequest, readRequest } from '../../src/certificates/request.ts';
import { has, missing, run } from '../support/programs.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMES = [
  { type: 'dns', value: '*.live.example' },
  { type: 'ip', value: '10.0.0.5' },
] as const;

describe('a signing request', () => {
  it.each([
    ['ec', 'ec prime256v1'],
    ['rsa', 'rsa 2048'],
  ] as const)('for a key of kind %s names its key and the names, and is signed', async (kind, key) => {
    const made = await createRequest(NAMES, kind);
    expect(await readRequest(made.request)).toEqual({
      subject: 'CN=*.live.example',
      names: ['*.live.example', '10.0.0.5'],
      key,
      intact: true,
    });
    expect(createPrivateKey(made.key).asymmetricKeyType).toBe(kind);
  });

  it('that was changed is not intact', async () => {
    const { request } = await createRequest(NAMES, 'ec');
    const der = Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const at = der.indexOf('live.example');
    der.write('evil', at);
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(await readRequest(pem)).toMatchObject({ subject: 'CN=*.evil.example', intact: false });
  });

  it.skipIf(!has('openssl')).each(['ec', 'rsa'] as const)(
    `of kind %s is good for openssl${missing('openssl')}`,
    async (kind) => {
      const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-request-'));
      await writeFile(join(folder, 'a.csr'), (await createRequest(NAMES, kind)).request);
      const { code, stdout, stderr } = await run('openssl', [
        'req',
        '-in',
        join(folder, 'a.csr'),
        '-noout',
        '-verify',
        '-text',
      ]).finished;
      await rm(folder, { recursive: true });
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('verify OK') });
      expect(stdout.toString()).toContain('DNS:*.live.example, IP Address:10.0.0.5');
    },
  );
});
