/** An address as bytes: 4 for IPv4, 16 for IPv6. Ranges are compared on bytes, never on text. */
export type IpBytes = Uint8Array;

/** A range of addresses of one family. */
export interface Cidr {
  readonly bytes: IpBytes;
  /** Leading bits that count: 0–32 for IPv4, 0–128 for IPv6. */
  readonly prefix: number;
}

const MAPPED_PREFIX = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/**
 * Reads a dotted-quad IPv4 address or any textual IPv6 address, with or without a zone (which is dropped).
 * Null when it is neither; IPv4 in hex, octal or with fewer parts is neither (URL parsing has made it a dotted quad before).
 */
export function parseIp(text: string): IpBytes | null {
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  return address.includes(':') ? parseIpv6(address) : parseIpv4(address);
}

function parseIpv4(text: string): IpBytes | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): IpBytes | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!head || !tail) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of `a:b:c`, whose last part may be a dotted quad when `isTail`. */
function parseGroups(text: string, isTail: boolean): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (isTail && i === groups.length - 1 && group.includes('.')) {
      const quad = parseIpv4(group);
      if (!quad) return null;
      bytes.push(...quad);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** The IPv4 address inside `::ffff:a.b.c.d`; any other address unchanged. */
export function unmapped(bytes: IpBytes): IpBytes {
  if (bytes.length !== 16) return bytes;
  return MAPPED_PREFIX.every((byte, i) => bytes[i] === byte) ? bytes.subarray(12) : bytes;
}

/**
 * Reads `10.0.0.0/8`, `::1/128` or a bare address (that one address). A range of IPv4-mapped addresses is read as the
 * IPv4 range it stands for. Null when the text is no range.
 */
export function parseCidr(text: string): Cidr | null {
  const [address, bits, ...rest] = text.trim().split('/');
  if (rest.length > 0 || !address || address.includes('%')) return null;
  const bytes = parseIp(address);
  if (!bytes) return null;
  const width = bytes.length * 8;
  if (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return null;
  const prefix = bits === undefined ? width : Number(bits);
  if (prefix > width) return null;
  const inner = unmapped(bytes);
  return inner !== bytes && prefix >= 96 ? { bytes: inner, prefix: prefix - 96 } : { bytes, prefix };
}

/** Whether `bytes` lies in the range; an address of the other family never does. */
export function contains(range: Cidr, bytes: IpBytes): boolean {
  if (bytes.length !== range.bytes.length) return false;
  const whole = range.prefix >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== range.bytes[i]) return false;
  const rest = range.prefix & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((bytes[whole] ?? 0) & mask) === ((range.bytes[whole] ?? 0) & mask);
}
