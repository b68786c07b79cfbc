import { type Cidr, contains, type IpBytes, parseCidr, parseIp, unmapped } from '@haldir/kernel';
import { EgressRefused } from './egress.errors.js';

/** Special-purpose IPv4 ranges (IANA registry, RFC 6890 and successors), multicast and reserved space. */
const BLOCKED_V4 = ranges(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
);

/** What is not for the public inside 2000::/3; everything outside of it is refused anyway. */
const BLOCKED_V6 = ranges('2001::/23', '2001:db8::/32', '3fff::/20');

const GLOBAL_UNICAST = range('2000::/3');
const NAT64 = range('64:ff9b::/96');
const SIX_TO_FOUR = range('2002::/16');

/**
 * What Haldir may connect to: public addresses, and whatever the operator lists. Immutable, so that a destination checked
 * once stays checked.
 */
export class EgressPolicy {
  private readonly allow: readonly Cidr[];

  /**
   * @param allow CIDRs (`10.1.0.0/16`, `::1/128`) or single addresses that are allowed although their range is not;
   * an IPv4 entry also covers its `::ffff:` form
   * @throws Error naming the entry that is no CIDR
   */
  constructor(allow: readonly string[] = []) {
    this.allow = allow.map((text) => range(text));
  }

  /** Whether a textual IP address may be connected to; false for what is not an address. */
  isAllowed(address: string): boolean {
    const parsed = parseIp(address);
    if (!parsed) return false;
    const bytes = unmapped(parsed);
    return this.allow.some((entry) => contains(entry, bytes) || contains(entry, parsed)) || isPublic(bytes);
  }

  /**
   * Checks what can be checked without asking DNS: form, scheme, userinfo, port, and a literal address in any notation,
   * as URL parsing normalises it (`0x7f.1`, `2130706433` and `127.0.0.1` are one host).
   *
   * @throws EgressRefused when the URL breaks the policy
   */
  checkUrl(text: string): URL {
    const url = parseUrl(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new EgressRefused('scheme');
    if (url.username !== '' || url.password !== '') throw new EgressRefused('userinfo');
    if (url.hostname === '') throw new EgressRefused('url');
    if (!isAllowedPort(url.port)) throw new EgressRefused('port');
    const literal = hostLiteral(url.hostname);
    if (literal !== null && !this.isAllowed(literal)) throw new EgressRefused('address');
    return url;
  }
}

/** The address a host stands for when it is a literal, without brackets; null for a name. */
export function hostLiteral(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return parseIp(bare) ? bare : null;
}

function parseUrl(text: string): URL {
  // URL parsing repairs `http:host`, tabs and backslashes; a stored destination has to mean what it looks like.
  if (!/^https?:\/\/[^/\\]/i.test(text) || /[\s\\\p{Cc}]/u.test(text)) throw new EgressRefused('url');
  try {
    return new URL(text);
  } catch {
    throw new EgressRefused('url');
  }
}

function isAllowedPort(port: string): boolean {
  return port === '' || port === '80' || port === '443' || Number(port) >= 1024;
}

function isPublic(bytes: IpBytes): boolean {
  if (bytes.length === 4) return !BLOCKED_V4.some((entry) => contains(entry, bytes));
  if (contains(NAT64, bytes)) return isPublic(bytes.subarray(12));
  if (contains(SIX_TO_FOUR, bytes)) return isPublic(bytes.subarray(2, 6));
  return contains(GLOBAL_UNICAST, bytes) && !BLOCKED_V6.some((entry) => contains(entry, bytes));
}

function range(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`'${text}' is not a CIDR such as 10.0.0.0/8 or ::1/128`);
  return parsed;
}

function ranges(...texts: string[]): Cidr[] {
  return texts.map(range);
}
