import { randomInt } from 'node:crypto';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Random letters and digits: what no escaping of URLs, JSON or SQL changes, so that finding it raw finds those forms, too. */
export function randomText(length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join('');
}

/**
 * The parts of a text's Base64 that stay the same whatever stands before and after it: one for each of the three offsets
 * that it can have within the encoded bytes.
 */
function base64Cores(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text), Buffer.alloc(2)]);
    const firstWhole = Math.ceil((offset * 8) / 6);
    const lastWhole = Math.floor(((offset + text.length) * 8) / 6);
    return bytes.toString('base64').slice(firstWhole, lastWhole);
  });
}

/** Every way in which a text may have been written down: what to look for. */
export function formsOf(text: string): { form: string; pattern: Buffer }[] {
  const bytes = Buffer.from(text);
  const eachByte = (write: (hex: string) => string): string =>
    [...bytes].map((byte) => write(byte.toString(16).padStart(2, '0'))).join('');
  const forms: [string, string][] = [
    ['raw', text],
    ['hex', bytes.toString('hex')],
    ['upper-case hex', bytes.toString('hex').toUpperCase()],
    ['percent-encoded', eachByte((hex) => `%${hex}`)],
    ['upper-case percent-encoded', eachByte((hex) => `%${hex.toUpperCase()}`)],
    ['JSON-escaped', eachByte((hex) => `\\u00${hex}`)],
    ['upper-case JSON-escaped', eachByte((hex) => `\\u00${hex.toUpperCase()}`)],
    ['reversed', [...text].reverse().join('')],
    ...base64Cores(text).flatMap((core): [string, string][] => [
      ['Base64', core],
      ['Base64url', core.replaceAll('+', '-').replaceAll('/', '_')],
    ]),
  ];
  const patterns = new Map(forms.map(([form, written]) => [written, { form, pattern: Buffer.from(written) }]));
  return [...patterns.values(), { form: 'UTF-16', pattern: Buffer.from(text, 'utf16le') }];
}

/** Where a pattern is in a haystack: the bytes from there on, for each time it occurs. */
export function occurrences(haystack: Buffer, pattern: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = haystack.indexOf(pattern); at !== -1; at = haystack.indexOf(pattern, at + 1)) {
    found.push(haystack.subarray(at, at + 200));
  }
  return found;
}
