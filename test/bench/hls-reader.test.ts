import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HlsReader, readPlaylist } from '../../bench/load/hls-reader.ts';

const HEAD = ['#EXTM3U', '#EXT-X-VERSION:9', '#EXT-X-TARGETDURATION:2', '#EXT-X-MEDIA-SEQUENCE:7'];
const part = (name: string): string => `#EXT-X-PART:DURATION=1,URI="${name}",INDEPENDENT=YES`;

describe('what follows in a playlist', () => {
  it('is the part behind the last one of a segment that grows', () => {
    const lines = [
      ...HEAD,
      '#EXTINF:2,',
      'v-7.m4s',
      part('v-8.0'),
      '#EXTINF:2,',
      'v-8.m4s',
      part('v-9.0'),
      part('v-9.1'),
    ];
    const parts = ['v-8.0', 'v-9.0', 'v-9.1'];
    expect(readPlaylist(lines.join('\n'))).toEqual({ parts, nextSegment: 9, nextPart: 2 });
  });

  it('is the first part of the next segment when the last one is whole', () => {
    const lines = [...HEAD, part('v-7.0'), '#EXTINF:2,', 'v-7.m4s'];
    expect(readPlaylist(lines.join('\n'))).toEqual({ parts: ['v-7.0'], nextSegment: 8, nextPart: 0 });
  });
});

describe('a reader of low-latency HLS', () => {
  let server: Server;
  let reader: HlsReader;

  afterEach(() => {
    reader.stop();
    server.closeAllConnections();
    server.close();
  });

  it('asks for the playlist with the next part, and for each part once', async () => {
    const asked: string[] = [];
    server = createServer(({ url = '' }, response) => {
      asked.push(url);
      if (url.includes('_HLS_part=2')) return;
      const parts = [part('v-7.0'), ...(url.includes('_HLS_part=1') ? [part('v-7.1')] : [])];
      if (url.endsWith('index.m3u8')) response.end('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv0.m3u8\n');
      else response.end(url.includes('.m3u8') ? [...HEAD, ...parts].join('\n') : 'media');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    reader = await HlsReader.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect.poll(() => asked.length).toBe(6);
    const second = '/v0.m3u8?_HLS_msn=7&_HLS_part=1';
    expect(asked).toEqual(['/index.m3u8', '/v0.m3u8', '/v-7.0', second, '/v-7.1', '/v0.m3u8?_HLS_msn=7&_HLS_part=2']);
    expect(reader.parts).toBe(1);
  });
});
