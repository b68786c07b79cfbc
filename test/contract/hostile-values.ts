import fc from 'fast-check';
import { type Json } from './api-document.js';

/** In every text and key that is sent, so that an answer that repeats it is found out. */
export const CANARY = 'zq7canary';
/** The same for numbers. */
export const CANARY_NUMBER = 7654321987.25;

/** Texts that have broken something somewhere before, and that can be stored all the same. */
export const TEXTS: Readonly<Record<string, string>> = {
  'an empty text': '',
  'white space': ' \t\n\r ',
  '100 kB': CANARY.repeat(11_112),
  'right to left': `\u202e${CANARY}\u200f\u061c`,
  'nothing to see': `\u200b\u200d\ufeff\u2060${CANARY}`,
  'families of emoji': `👩‍👩‍👧‍👦🏳️‍🌈${CANARY}`,
  'letters beyond the BMP': `𝒽𝒶𝓁𝒹𝒾𝓇${CANARY}`,
  'marks upon marks': `Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘${CANARY}`,
  'the end of Unicode': `\u{10ffff}\uffff\ufffe${CANARY}`,
  'control characters': `\u0001\u0007\u001b[2J\u007f\u0085\u2028${CANARY}`,
  'a script': `<script>alert("${CANARY}")</script>`,
  'a statement': `'; DROP TABLE session; -- ${CANARY}`,
  'a template': `\${7*7}{{7*7}}%s%n$1\\1${CANARY}`,
  'a header': `${CANARY}\r\nSet-Cookie: a=b`,
  'a step up': `../../../etc/passwd%00${CANARY}`,
  'percent signs': `%zz%00%ff%${CANARY}`,
  'a prototype': '__proto__',
  'a constructor': 'constructor',
  'a method': 'toString',
  'not a number': 'NaN',
  'no end': '-Infinity',
  'a null': 'null',
  'a hexadecimal': '0x10',
  'digits of another script': '١٢٣',
};

/** Numbers at the edges of what a double, an integer or a column can hold; none is written in exponents Postgres minds. */
export const NUMBERS: Readonly<Record<string, number>> = {
  zero: 0,
  'less than nothing': -1,
  'the largest': 1e308,
  'the smallest': -1e308,
  'beyond 64 bits': 1e21,
  'beyond 32 bits': 2 ** 31,
  'beyond 53 bits': 2 ** 53 + 2,
  'next to nothing': 5e-324,
  'a sum of tenths': 0.1 + 0.2,
  recognisable: CANARY_NUMBER,
};

/** Parts of a path, encoded as they are sent; none is longer than the headers of a request may be. */
export const SEGMENTS: Readonly<Record<string, string>> = {
  NUL: '%00',
  'NUL in the middle': `${CANARY}%00x`,
  'a slash': '%2F',
  'a step up': '..%2f..%2f',
  'an encoded step up': '%2e%2e%2f',
  'two dots': '..',
  'one dot': '.',
  'a twice encoded step': '%252e%252e%252f',
  'a backslash': '%5c..%5c',
  'an overlong slash': '%c0%af',
  'no UTF-8': '%ff%fe',
  'half a surrogate': '%ed%a0%80',
  'no encoding': '%zz',
  'a bare percent': '%',
  'a space': `%20${CANARY}%20`,
  'a semicolon': `${CANARY};x=y`,
  'a star': '*',
  'a pattern': ':session_id',
  'an emoji': `%F0%9F%98%80${CANARY}`,
  'right to left': `%E2%80%AE${CANARY}`,
  'a statement': `'%20OR%20'1'='1${CANARY}`,
  '300 characters': 'x'.repeat(300),
  '1,500 characters': CANARY.repeat(170),
  '8,000 characters': CANARY.repeat(888),
  'a prototype': '__proto__',
  'a constructor': 'constructor',
  'a null': 'null',
  'an undefined': 'undefined',
  zero: '0',
  'less than nothing': '-1',
  'a fraction': '1.5',
  'an exponent': '1e9',
  'beyond 64 bits': '9'.repeat(30),
  'the nil UUID': '00000000-0000-0000-0000-000000000000',
  'no time at all': 'zzzzzzzzzzzzzzzzzzzzzzzzzz',
};

/** One value of each JSON type, and what the type is called in a schema. */
export const ONE_OF_EACH: readonly [type: string, value: unknown][] = [
  ['string', CANARY],
  ['number', CANARY_NUMBER],
  ['boolean', true],
  ['null', null],
  ['array', [CANARY]],
  ['object', { [CANARY]: CANARY }],
];

/** Objects of any shape whose members are named like those given, and others. The same seed makes the same ones. */
export function randomBodies(names: readonly string[], count: number, seed: number): Json[] {
  const key = fc.oneof(fc.constantFrom('x', ...names), fc.string({ unit: 'grapheme', maxLength: 10 }));
  const scalar = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(true, false, null),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small', withCrossShrink: false }, scalar, tie('list'), tie('members')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    members: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  }));
  return fc.sample(fc.dictionary(key, value, { maxKeys: 6 }), { numRuns: count, seed });
}
