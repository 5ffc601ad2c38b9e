import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SharedText } from '../../../src/delivery/hls/shared-text.ts';

describe('a text that many ask for', () => {
  it('is compressed once', () => {
    const text = new SharedText('#EXTINF:2,\n'.repeat(100));
    expect(gunzipSync(text.gzipped!).toString()).toBe(text.text);
    expect(text.gzipped).toBe(text.gzipped);
  });

  it('is not where it fits into one packet as it is', () => {
    expect(new SharedText('x'.repeat(999)).gzipped).toBeUndefined();
    expect(new SharedText('x'.repeat(1_000)).gzipped).toBeDefined();
  });
});
