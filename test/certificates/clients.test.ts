import { describe, expect, it } from 'vitest';
import { verdictsOf } from '../../src/certificates/clients.ts';
import type { Finding, FindingCode, FindingLevel } from '../../src/certificates/index.ts';

function judge(...found: [FindingCode, FindingLevel][]): Record<string, string> {
  const findings: Finding[] = found.map(([code, level]) => ({ code, level, text: '' }));
  return Object.fromEntries(verdictsOf(findings).map(({ client, takes }) => [client, takes]));
}

describe('what clients make of a certificate', () => {
  it('is nothing where there is nothing to say', () => {
    expect(new Set(Object.values(judge()))).toEqual(new Set(['yes']));
    expect(Object.keys(judge())).toHaveLength(8);
  });

  it('is no for all that verify when it has expired, and yes for librtmp and an FFmpeg of today', () => {
    const verdicts = judge(['EXPIRED', 'error']);
    const careless = Object.keys(verdicts).filter((client) => verdicts[client] === 'yes');
    expect(careless).toEqual(['FFmpeg up to 8', 'rtmpdump, librtmp']);
  });

  it('is no from OBS, and as a rule yes from browsers, when the intermediate is missing', () => {
    const verdicts = judge(['CHAIN_INCOMPLETE', 'error']);
    expect(verdicts).toMatchObject({ OBS: 'no', GStreamer: 'no', Android: 'no', Browsers: 'yes' });
  });

  it('hangs on the CA where that is a private one', () => {
    expect(judge(['DEVELOPMENT', 'note'])).toMatchObject({ OBS: 'if trusted', 'FFmpeg up to 8': 'yes' });
    expect(judge(['PRIVATE_ROOT', 'note'])).toMatchObject({ Browsers: 'if trusted', 'rtmpdump, librtmp': 'yes' });
  });

  it('differs where their checks do', () => {
    expect(judge(['ONLY_COMMON_NAME', 'warning'])).toMatchObject({ OBS: 'yes', Browsers: 'no', Android: 'no' });
    expect(judge(['CHAIN_BACKWARDS', 'warning'])).toMatchObject({ OBS: 'no', Browsers: 'yes' });
    expect(judge(['VALID_TOO_LONG', 'warning'])).toMatchObject({ 'iPhone, iPad, Mac': 'no', OBS: 'yes' });
    expect(judge(['EXPIRES_SOON', 'warning'])).toEqual(judge());
    expect(judge(['KEY_READABLE', 'warning'])).toEqual(judge());
  });

  it('is said with all the reasons', () => {
    const [obs] = verdictsOf([
      { code: 'EXPIRED', level: 'error', text: '' },
      { code: 'WEAK_KEY', level: 'error', text: '' },
    ]);
    expect(obs?.text).toBe('refuses it: it has expired; its key is too short');
  });
});
