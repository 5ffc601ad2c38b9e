import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { parseProxy } from '../../src/transport/proxy-server.ts';
import { Socks5 } from '../../src/transport/socks5.ts';
import { seeded } from '../support/random.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const begin = (userinfo = 'user:pass@', host = 'server.example', port = 443) =>
  new Socks5(parseProxy(`socks5h://${userinfo}proxy:1080`), { host, port });

/** What is said to each answer, fed whole or byte by byte. */
function converse(socks: Socks5, answers: readonly string[], byteByByte = false): (string | undefined)[] {
  return answers.map((answer) => {
    const pieces = byteByByte ? [...hex(answer)].map((byte) => Buffer.of(byte)) : [hex(answer)];
    const said = pieces.map((piece) => socks.receive(piece)).filter((word) => word !== undefined);
    expect(said.length).toBeLessThan(2);
    return Buffer.isBuffer(said[0]) ? said[0].toString('hex') : said[0];
  });
}

function faultOf(socks: Socks5, answers: readonly string[]): GatewayError {
  try {
    converse(socks, answers);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return error as GatewayError;
  }
  throw new Error('nothing was thrown');
}

/** RFC 1928, sections 3 to 6, and RFC 1929, section 2. */
const NAME_REQUEST = '050100030e7365727665722e6578616d706c6501bb';
const PASSWORD = '01047573657204' + Buffer.from('pass').toString('hex');

describe('asking a SOCKS 5 proxy for a connection', () => {
  it.each([false, true])('with a password, to a name (byte by byte: %s)', (byteByByte) => {
    const socks = begin();
    expect(socks.opening.toString('hex')).toBe('05020002');
    expect(converse(socks, ['0502', '0100', '05000001 00000000 0000'], byteByByte)).toEqual([
      PASSWORD,
      NAME_REQUEST,
      'open',
    ]);
  });

  it('without one, and where none is asked for', () => {
    expect(begin('').opening.toString('hex')).toBe('050100');
    expect(converse(begin(''), ['0500', '05000001 7f000001 1234'])).toEqual([NAME_REQUEST, 'open']);
    expect(converse(begin(), ['0500', '05000001 7f000001 1234'])).toEqual([NAME_REQUEST, 'open']);
  });

  it.each([
    ['192.0.2.1', 1935, '05010001c0000201078f'],
    ['2001:db8::1', 443, '0501000420010db800000000000000000000000101bb'],
  ])('to the address %s', (host, port, request) => {
    expect(converse(begin('', host, port), ['0500'])).toEqual([request]);
  });

  it.each(['04 20010db8000000000000000000000001 01bb', '03 03 616263 01bb', '03 00 01bb'])(
    'that says it is bound to %s',
    (bound) => {
      for (const byteByByte of [false, true])
        expect(converse(begin(''), ['0500', `050000${bound}`], byteByByte)).toEqual([NAME_REQUEST, 'open']);
    },
  );

  it.each([
    [['0502', '0101'], 'PROXY_AUTHENTICATION', 'refuses the user name or the password'],
    [['05ff'], 'PROXY_AUTHENTICATION', 'takes neither a password nor strangers'],
    [['0501'], 'PROXY_BAD_ANSWER', 'chose a way to log in that was not offered'],
    [['0500', '0502'], 'PROXY_REFUSED', 'does not allow connections to this server'],
    [['0500', '0507000100000000 0000'.slice(0, 4)], 'PROXY_REFUSED', 'makes no connections for others'],
    [['0500', '0504'], 'PROXY_FAILED', 'cannot reach the server, or knows no such name'],
    [['0500', '0505'], 'PROXY_FAILED', 'was refused a connection by the server'],
    [['0500', '0563'], 'PROXY_FAILED', 'failed with code 99'],
    [['0500', '05000009'], 'PROXY_BAD_ANSWER', 'answers with an address of no known kind'],
    [['050000'], 'PROXY_BAD_ANSWER', 'said more than it was asked'],
    [['0500', '0500000100000000 0000 ff'], 'PROXY_BAD_ANSWER', 'said more than it was asked'],
    [['48545450'], 'PROXY_BAD_ANSWER', 'speaks HTTP and not SOCKS: write http://'],
    [['005b'], 'PROXY_BAD_ANSWER', 'speaks SOCKS 4: only SOCKS 5 is spoken here'],
    [['0502', '0500'], 'PROXY_BAD_ANSWER', 'does not answer as SOCKS 5 does'],
  ])('%j: %s', (answers, code, words) => {
    const fault = faultOf(begin(), answers);
    expect([fault.code, fault.message]).toEqual([code, `the proxy socks5h://proxy:1080 ${words}`]);
  });

  it('says so when a password is missing', () => {
    expect(faultOf(begin(''), ['05ff']).message).toMatch(/asks for a user name and a password/);
  });

  it('refuses a name that does not fit', () => {
    expect(converse(begin('', 'a'.repeat(255)), ['0500'])[0]).toHaveLength(2 * (7 + 255));
    expect(faultOf(begin('', 'a'.repeat(256)), ['0500']).code).toBe('CONNECT_FAILED');
  });

  it('whatever it is told, says an error of ours or goes on', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const random = seeded(seed);
      const socks = begin();
      const answer = Buffer.concat([hex('05020100050000'), Buffer.of(random.int(5)), random.bytes(random.int(300))]);
      for (let count = random.int(3); count > 0; count--) answer[random.int(answer.length)] = random.int(256);
      try {
        for (const byte of answer) if (socks.receive(Buffer.of(byte)) === 'open') break;
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
      }
    }
  });
});
