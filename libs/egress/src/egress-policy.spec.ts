import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, parseCidr, parseIp } from '@haldir/kernel';
import { EgressRefused } from './egress.errors.js';
import { EgressPolicy } from './egress-policy.js';

const policy = new EgressPolicy();

const FORBIDDEN = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254',
  '169.254.169.254', '169.254.0.1', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.31.196.1', '192.52.193.1',
  '192.88.99.1', '192.168.1.1', '192.175.48.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1',
  '239.255.255.255', '240.0.0.1', '255.255.255.255',
  '::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:169.254.169.254',
  '64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '64:ff9b:1::808:808', '100::1',
  '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001:10::1', '2001:20::1', '2001:1ff:ffff::1', '2001:db8::1',
  '2002:7f00:1::', '2002:a00:1::1', '2002:c0a8:101::', '2002:a9fe:a9fe::', '3fff::1', '3fff:fff::1', '5f00::1',
  'fc00::1', 'fd00:ec2::254', 'fdff::1', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1', 'ff02::1', 'ff0e::1',
  '4000::1', '1fff::1', 'e000::1', '::ffff:0:127.0.0.1', '0:0:0:0:0:0:0:1',
]; // prettier-ignore

const PUBLIC = [
  '1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1', '126.255.255.255', '128.0.0.1',
  '169.253.255.255', '169.255.0.1', '172.15.255.255', '172.32.0.1', '192.167.255.255', '192.169.0.1', '198.17.255.255',
  '198.20.0.1', '223.255.255.255', '2606:4700::1111', '2001:4860:4860::8888', '2001:200::1', '2a00::1',
  '::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1', '2000::1', '3ffe::1',
]; // prettier-ignore

describe('EgressPolicy.isAllowed', () => {
  it.each(FORBIDDEN)('refuses %s', (address) => {
    expect(policy.isAllowed(address)).toBe(false);
  });

  it.each(PUBLIC)('allows %s', (address) => {
    expect(policy.isAllowed(address)).toBe(true);
  });

  it.each([
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    ':::',
    '1::2::3',
    '12345::',
    'g::1',
    '::1.2.3',
  ])('does not take %j for an address', (text) => {
    expect(policy.isAllowed(text)).toBe(false);
  });

  it('lets the allow-list win, for exactly what it lists', () => {
    const allowing = new EgressPolicy(['127.0.0.0/8', '10.1.2.3', '::1/128', 'fd00::/16']);
    for (const address of [
      '127.0.0.1',
      '127.9.9.9',
      '::ffff:127.0.0.1',
      '10.1.2.3',
      '::ffff:a01:203',
      '::1',
      'fd00::9',
    ]) {
      expect(allowing.isAllowed(address), address).toBe(true);
    }
    for (const address of ['10.1.2.4', '192.168.0.1', '::2', 'fd01::1', '64:ff9b::7f00:1', '2002:7f00:1::']) {
      expect(allowing.isAllowed(address), address).toBe(false);
    }
  });

  it('reads a mapped range in the allow-list as the IPv4 range', () => {
    expect(new EgressPolicy(['::ffff:10.0.0.0/104']).isAllowed('10.9.9.9')).toBe(true);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    'localhost',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '',
    '10.0.0.0/-1',
    'fe80::1%eth0/64',
  ])('names the allow-list entry %j that is no CIDR', (entry) => {
    expect(() => new EgressPolicy([entry])).toThrow('is not a CIDR');
  });

  it('agrees with arithmetic on every IPv4 range', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (a, b, prefix) => {
        const range = parseCidr(`${a}/${prefix}`);
        const bytes = parseIp(b);
        if (!range || !bytes) throw new Error('fast-check made no address');
        const number = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        const size = 2 ** (32 - prefix);
        expect(contains(range, bytes)).toBe(Math.floor(number(a) / size) === Math.floor(number(b) / size));
      }),
    );
  });

  it('reads every IPv6 text as the URL parser does', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseIp(text);
        const normal = parseIp(new URL(`http://[${text}]/`).hostname.slice(1, -1));
        expect(bytes).not.toBeNull();
        expect(bytes).toEqual(normal);
      }),
    );
  });
});

describe('EgressPolicy.checkUrl', () => {
  const refusal = (url: string): string => {
    try {
      policy.checkUrl(url);
    } catch (error) {
      if (error instanceof EgressRefused) return error.reason;
      throw error;
    }
    return 'none';
  };

  it.each([
    ['http://2130706433/', 'address'],
    ['http://0x7f000001/', 'address'],
    ['http://0177.0.0.1/', 'address'],
    ['http://127.1/', 'address'],
    ['http://127.0.0.1./', 'address'],
    ['http://１２７.０.０.１/', 'address'],
    ['http://[::ffff:127.0.0.1]/', 'address'],
    ['http://[fe80::1%25eth0]/', 'url'],
    ['http://user@example.com/', 'userinfo'],
    ['http://:secret@example.com/', 'userinfo'],
    ['http://example.com:22/', 'port'],
    ['http://example.com:0/', 'port'],
    ['http://example.com:1023/', 'port'],
    ['http://example.com:99999/', 'url'],
    ['ftp://example.com/', 'url'],
    ['file:///etc/passwd', 'url'],
    ['javascript:alert(1)', 'url'],
    ['//example.com/', 'url'],
    ['/relative', 'url'],
    ['', 'url'],
    ['http:example.com', 'url'],
    ['http:///example.com', 'url'],
    ['http://', 'url'],
    ['http:\\\\127.0.0.1\\', 'url'],
    ['http://exam\tple.com/', 'url'],
    [' http://example.com/', 'url'],
    ['http://example.com/\r\nX-Injected: 1', 'url'],
  ])('refuses %j for its %s', (url, reason) => {
    expect(refusal(url)).toBe(reason);
  });

  it.each([
    'http://example.com/',
    'https://example.com:8443/a?b=c#d',
    'HTTPS://EXAMPLE.com',
    'http://8.8.8.8:1024/',
    'http://bücher.example/',
    'http://[2606:4700::1111]/',
  ])('lets %s pass', (url) => {
    expect(refusal(url)).toBe('none');
  });

  it('never echoes the URL in a refusal', () => {
    try {
      policy.checkUrl('http://user:hunter2@10.1.2.3/secret-path');
    } catch (error) {
      expect(String(error)).not.toMatch(/hunter2|10\.1\.2\.3|secret-path/);
      return;
    }
    expect.unreachable();
  });
});
