import { expect, test } from 'vitest';
import { HLS_DEFAULTS } from '../../src/delivery/index.ts';
import { faults, load } from '../support/config-file.ts';

test('without a word everything is as the room has it', () => {
  expect(load('').config.hls).toEqual(HLS_DEFAULTS);
});

test('every key reaches the room', () => {
  const { config } = load(
    'hls: { enabled: false, segment: 4s, part: 500ms, window: 10, lowLatency: false, always: true }',
  );
  expect(config.hls).toEqual({
    ...HLS_DEFAULTS,
    enabled: false,
    segmentMs: 4_000,
    partMs: 500,
    window: 10,
    lowLatency: false,
    always: true,
  });
});

test('who fetches streams on demand waits for them', () => {
  const pull = 'relay: [{ pull: "cdn/*", from: "rtmp://o/live/{stream}" }]';
  expect(load(pull).config.hls.awaitPublisherMs).toBe(5_000);
  expect(load('relay: [{ push: "live/*", to: "rtmp://o/live/{stream}" }]').config.hls.awaitPublisherMs).toBe(0);
});

test.each([
  ['segment', '500ms', '499ms', '30s', '30001ms'],
  ['part', '100ms', '99ms', '5s', '5001ms'],
  ['window', '3', '2', '1000', '1001'],
])('%s is between %s and %s', (key, least, less, most, more) => {
  for (const value of [least, most]) expect(faults(`hls: { ${key}: ${value} }`)).toEqual([]);
  for (const value of [less, more])
    expect(faults(`hls: { ${key}: ${value} }`)).toEqual([expect.stringContaining(`hls.${key}`)]);
});
