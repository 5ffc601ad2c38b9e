import { beforeAll, describe, expect, it } from 'vitest';
import type { X509Certificate } from 'node:crypto';
import { createDevelopmentCertificate } from '../../src/certificates/development.ts';
import { createAuthority, issue } from '../../src/certificates/authority.ts';
import { findingsOf } from '../../src/certificates/findings.ts';
import { parseChain } from '../../src/certificates/inspect.ts';
import { MADE_AT, makeCertificate, makeChain } from '../support/made-certificates.ts';
import type { MadeCertificate, Wanted } from '../support/made-certificates.ts';

const DAY_MS = 86_400_000;

function find(
  chain: readonly (MadeCertificate | X509Certificate)[],
  context: { days?: number; keyMode?: number; host?: string } = {},
) {
  const { days = 0, ...more } = context;
  const certificates = chain.map((made) => ('certificate' in made ? made.certificate : made));
  const now = new Date(MADE_AT.getTime() + days * DAY_MS);
  return findingsOf(certificates, { now, source: 'live.pem', ...more });
}

const codes = (...args: Parameters<typeof find>) => find(...args).map(({ code }) => code);

describe('findings about a certificate (must-do 33)', () => {
  let made: Awaited<ReturnType<typeof makeChain>>;
  beforeAll(async () => void (made = await makeChain()));

  it('are none but the private root for a sound chain, with the root and without', () => {
    const { server, intermediate, root } = made;
    expect(find([server, intermediate])).toEqual([
      {
        code: 'PRIVATE_ROOT',
        level: 'note',
        text: expect.stringMatching(/^live\.pem goes back to "Root", which is no public/),
      },
    ]);
    expect(codes([server, intermediate, root])).toEqual(['PRIVATE_ROOT']);
  });

  it('say in words that OBS will refuse a leaf alone, and where the intermediate is', async () => {
    expect(find([made.server])).toEqual([
      {
        code: 'CHAIN_INCOMPLETE',
        level: 'error',
        text: expect.stringMatching(
          /^OBS will refuse live\.pem: the intermediate certificate is missing, "Intermediate"/,
        ),
      },
    ]);
    const url = 'http://ca.example/int.der';
    const server = await makeCertificate({ issuer: made.intermediate, issuerUrl: url });
    expect(find([server])[0]?.text).toContain(`is at ${url}, in DER`);
  });

  it('miss the intermediate also when something else was put behind the leaf', async () => {
    const other = await makeCertificate({ name: 'Other', ca: true });
    expect(codes([made.server, other])).toEqual(['CHAIN_INCOMPLETE', 'CHAIN_SUPERFLUOUS']);
  });

  it('tell disorder that OBS gets over from disorder that it does not', async () => {
    const { server, intermediate, root } = made;
    expect(codes([server, root, intermediate])).toEqual(['CHAIN_ORDER', 'PRIVATE_ROOT']);
    const lower = await makeCertificate({ name: 'Lower', names: [], ca: true, issuer: intermediate });
    const leaf = await makeCertificate({ issuer: lower });
    expect(codes([leaf, lower, intermediate])).toEqual(['PRIVATE_ROOT']);
    expect(codes([leaf, intermediate, lower])).toEqual(['CHAIN_BACKWARDS', 'PRIVATE_ROOT']);
  });

  it('name a certificate that signed nothing', async () => {
    const other = await makeCertificate({ name: 'Old intermediate', ca: true });
    const found = find([made.server, made.intermediate, other]);
    expect(found.find(({ code }) => code === 'CHAIN_SUPERFLUOUS')?.text).toMatch(
      /^"Old intermediate" in live\.pem did not/,
    );
  });

  it('do not take an authority of the same name, but with another key, for the issuer', async () => {
    const namesake = await makeCertificate({ name: 'Intermediate', names: [], ca: true });
    expect(codes([made.server, namesake])).toContain('CHAIN_INCOMPLETE');
  });

  it('see an issuer that is no CA, and one that has expired', async () => {
    const noCa = await makeCertificate({ name: 'Server', issuer: made.root });
    const leaf = await makeCertificate({ issuer: noCa });
    expect(codes([leaf, noCa, made.root])).toContain('ISSUER_NOT_CA');
    const old = await makeCertificate({ name: 'Old', ca: true, issuer: made.root, to: -1 });
    expect(codes([await makeCertificate({ issuer: old }), old])).toContain('ISSUER_EXPIRED');
  });

  it('stand at 14 days and not one more, and at the end itself', () => {
    const { server, intermediate } = made;
    const at = (days: number) => codes([server, intermediate], { days }).filter((code) => code !== 'PRIVATE_ROOT');
    expect(at(80 - 14)).toEqual([]);
    expect(at(80 - 14 + 1 / 1440)).toEqual(['EXPIRES_SOON']);
    expect(at(80 - 1 / 1440)).toEqual(['EXPIRES_SOON']);
    expect(at(80)).toEqual(['EXPIRED', 'ISSUER_EXPIRED']);
    expect(at(-10)).toEqual([]);
    expect(at(-10 - 1 / 1440)).toEqual(['NOT_YET_VALID']);
    expect(find([server, intermediate], { days: 92 })[0]?.text).toMatch(
      /^live\.pem expired on 2026-05-20, 12 days ago: every/,
    );
  });

  it.each<[string, Wanted, string]>([
    ['no names at all', { name: null, names: [] }, 'NO_NAMES'],
    ['a common name only', { names: [] }, 'ONLY_COMMON_NAME'],
    ['SHA-1', { hash: 'SHA-1' }, 'WEAK_SIGNATURE'],
    ['1024 bits of RSA', { key: 'RSA-1024' }, 'WEAK_KEY'],
    ['a curve that browsers lack', { key: 'P-521' }, 'RARE_KEY'],
    ['usages without servers', { usages: ['clientAuth'] }, 'WRONG_USAGE'],
    ['the rights of a CA', { ca: true }, 'CA_AS_SERVER'],
    ['399 days', { from: -10, to: 389 }, 'VALID_LONG'],
    ['826 days', { from: -10, to: 816 }, 'VALID_TOO_LONG'],
  ])('see %s', async (_what, wanted, code) => {
    const certificate = await makeCertificate({ ...wanted, issuer: made.intermediate });
    expect(codes([certificate, made.intermediate])).toContain(code);
  });

  it.each<[string, Wanted]>([
    ['398 days', { from: -10, to: 388 }],
    ['2048 bits of RSA', { key: 'RSA-2048' }],
    ["a client's usage beside the server's", { usages: ['clientAuth', 'serverAuth'] }],
  ])('have nothing against %s', async (_what, wanted) => {
    const certificate = await makeCertificate({ ...wanted, issuer: made.intermediate });
    expect(codes([certificate, made.intermediate])).toEqual(['PRIVATE_ROOT']);
  });

  it("see a weak signature in the middle of a chain, and overlook the root's", async () => {
    const root = await makeCertificate({ name: 'Old root', names: [], ca: true, hash: 'SHA-1' });
    const middle = await makeCertificate({ name: 'Middle', names: [], ca: true, issuer: root, hash: 'SHA-1' });
    const leaf = await makeCertificate({ issuer: middle });
    expect(codes([leaf, middle, root])).toEqual(['WEAK_SIGNATURE', 'PRIVATE_ROOT']);
    const direct = await makeCertificate({ issuer: root });
    expect(codes([direct, root])).toEqual(['PRIVATE_ROOT']);
  });

  it('compare with the host that clients ask for', () => {
    const chain = [made.server, made.intermediate];
    expect(codes(chain, { host: 'LIVE.example' })).toEqual(['PRIVATE_ROOT']);
    expect(codes(chain, { host: 'other.example' })).toEqual(['NAME_MISMATCH', 'PRIVATE_ROOT']);
    expect(find(chain, { host: '127.0.0.1' })[0]?.text).toContain('is for live.example and not for 127.0.0.1');
  });

  it.each([
    [0o600, false],
    [0o400, false],
    [0o640, true],
    [0o604, true],
    [0o644, true],
  ])('judge a key of mode %o', (keyMode, open) => {
    const found = find([made.server, made.intermediate], { keyMode });
    expect(found.some(({ code, text }) => code === 'KEY_READABLE' && text.includes('chmod 600'))).toBe(open);
  });

  it('tell a certificate that nobody else has signed from one of a development CA', async () => {
    const [alone] = parseChain((await createDevelopmentCertificate('localhost', MADE_AT)).cert, 'x');
    expect(codes([alone])).toEqual(['SELF_SIGNED']);
    const authority = await createAuthority({ kind: 'ec', hostName: 'studio', now: MADE_AT });
    const names = [{ type: 'dns' as const, value: 'live.example' }];
    const options = {
      purpose: 'server' as const,
      commonName: 'live.example',
      names,
      kind: 'ec' as const,
      now: MADE_AT,
    };
    const chain = parseChain((await issue(authority, options)).cert, 'x');
    expect(codes(chain)).toEqual(['DEVELOPMENT']);
    expect(codes(chain.slice(0, 1))).toEqual(['DEVELOPMENT']);
  });

  it('put the worst first, and have nothing to say of nothing', async () => {
    const bad = await makeCertificate({ names: [], key: 'RSA-1024', to: 5 });
    const levels = find([bad], { keyMode: 0o644 }).map(({ level }) => level);
    expect(levels).toEqual(
      [...levels].sort((a, b) => ['error', 'warning', 'note'].indexOf(a) - ['error', 'warning', 'note'].indexOf(b)),
    );
    expect(levels.length).toBeGreaterThan(3);
    expect(find([])).toEqual([]);
  });
});
