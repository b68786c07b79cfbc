const ESCAPES = /[\\%&\s]/;
/** What base64 is made of, in both alphabets, as far as it is long enough to hold anything. */
const BASE64_RUNS = /[A-Za-z0-9+/_-]{12,}/g;

const NAMED: Readonly<Record<string, number>> = { amp: 38, lt: 60, gt: 62, quot: 34, apos: 39 };
const BACKSLASHED: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, f: 12, r: 13 };

/**
 * The text with escapes of JSON, URLs and HTML undone, each once, and without white space: whatever mixture of them two
 * texts were written in, they read the same.
 */
export function plainText(text: string): string {
  if (!ESCAPES.test(text)) return text;
  // What an escape stands for is never longer than the escape.
  const units = new Uint16Array(text.length);
  let length = 0;
  const put = (unit: number): void => {
    if (!isSpace(unit)) units[length++] = unit;
  };
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    let next = at + 1;
    if (unit === 92) next = afterBackslash(text, at, put);
    else if (unit === 37) next = afterPercents(text, at, put);
    else if (unit === 38) next = afterAmpersand(text, at, put);
    else put(unit);
    at = next;
  }
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
}

/** Beyond this, what could be base64 is read as it stands only: each part begins where it seems to. */
const MAX_TRIED = 65_536;

/**
 * What the parts of a text that could be base64 stand for, one after the other; empty when there are none. Each is read from
 * its first four characters on, because some before the encoded ones may look like them.
 */
export function decodedBase64(text: string): string {
  const skips = text.length > MAX_TRIED ? [0] : [0, 1, 2, 3];
  return (text.match(BASE64_RUNS) ?? [])
    .flatMap((run) => skips.map((skip) => Buffer.from(run.slice(skip), 'base64').toString('utf8')))
    .join('\n');
}

type Put = (unit: number) => void;

function afterBackslash(text: string, at: number, put: Put): number {
  const letter = text[at + 1];
  const digits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0;
  const code = digits === 0 ? null : hexAt(text, at + 2, digits);
  if (code !== null) {
    put(code);
    return at + 2 + digits;
  }
  // A backslash that escapes nothing known stands for itself no longer than until what follows is read.
  if (letter !== undefined) put(BACKSLASHED[letter] ?? letter.charCodeAt(0));
  return at + 2;
}

/** Takes a whole run, because a character may be several bytes. */
function afterPercents(text: string, at: number, put: Put): number {
  const bytes: number[] = [];
  let next = at;
  while (text.charCodeAt(next) === 37) {
    const byte = hexAt(text, next + 1, 2);
    if (byte === null) break;
    bytes.push(byte);
    next += 3;
  }
  if (bytes.length === 0) {
    put(37);
    return at + 1;
  }
  const decoded = Buffer.from(bytes).toString('utf8');
  for (let i = 0; i < decoded.length; i++) put(decoded.charCodeAt(i));
  return next;
}

function afterAmpersand(text: string, at: number, put: Put): number {
  const [entity, decimal, hex, name] =
    /^&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));/.exec(text.slice(at, at + 12)) ?? [];
  const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? parseInt(hex, 16) : NAMED[name ?? ''];
  if (entity === undefined || code === undefined || code > 0x10ffff) {
    put(38);
    return at + 1;
  }
  const decoded = String.fromCodePoint(code);
  for (let i = 0; i < decoded.length; i++) put(decoded.charCodeAt(i));
  return at + entity.length;
}

function hexAt(text: string, at: number, digits: number): number | null {
  let code = 0;
  for (let i = at; i < at + digits; i++) {
    const unit = text.charCodeAt(i);
    const digit =
      unit >= 48 && unit <= 57 ? unit - 48 : (unit | 32) >= 97 && (unit | 32) <= 102 ? (unit | 32) - 87 : -1;
    if (digit < 0) return null;
    code = code * 16 + digit;
  }
  return code;
}

function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13) || unit === 160 || unit === 0x2028 || unit === 0x2029;
}
