import { growthOf, LINEAR } from '@haldir/test-support';
import fc from 'fast-check';
import { Masker } from './masker.js';

const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const hex = (text: string): string => Buffer.from(text).toString('hex');
const lowerEscapes = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
const form = (text: string): string => new URLSearchParams({ q: text }).toString().slice(2);
const percent = (text: string): string => hex(text).replace(/../g, '%$&');
const unicode = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
/** Every other character escaped. */
const halfEscaped = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => (i % 2 ? unicode(text.charAt(i)) : json(text.charAt(i)))).join('');
const wrapped = (text: string): string => base64(text).replace(/.{1,19}/g, '$&\r\n');

const ENCODINGS: Record<string, (text: string) => string> = {
  raw: (text) => text,
  'JSON-escaped': json,
  'JSON-escaped twice': (text) => json(json(text)),
  '\\u-escaped': unicode,
  'upper-case \\u-escaped': (text) => unicode(text).replace(/[0-9a-f]{4}/g, (digits) => digits.toUpperCase()),
  'escaped here and there': halfEscaped,
  base64,
  'base64 of one more byte before it': (text) => base64(`:${text}`),
  'base64 of two more bytes before it': (text) => base64(`::${text}`),
  'base64 of more after it': (text) => base64(`{"token":"${text}","more":true}`),
  base64url,
  'base64url of one more byte before it': (text) => base64url(`ÿ${text}ÿ`),
  'base64 in lines': wrapped,
  'base64 of JSON': (text) => base64(JSON.stringify({ token: text })),
  'base64 of base64': (text) => base64(`{"a":"${base64(text)}"}`),
  'base64, URL-encoded': (text) => encodeURIComponent(base64(`??${text}`)),
  hex,
  'upper-case hex': (text) => hex(text).toUpperCase(),
  'mixed-case hex': (text) => hex(text).replace(/[a-f]/, (digit) => digit.toUpperCase()),
  'URL-encoded': encodeURIComponent,
  'lower-case URL-encoded': (text) => lowerEscapes(encodeURIComponent(text)),
  'form-encoded': form,
  'lower-case form-encoded': (text) => lowerEscapes(form(text)),
  'percent-encoded': percent,
  'upper-case percent-encoded': (text) => percent(text).toUpperCase(),
  'URL-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'form-encoded twice': (text) => form(form(text)),
  'percent-encoded twice': (text) => encodeURIComponent(percent(text)),
  'HTML-escaped': (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  'HTML-escaped by names': (text) =>
    text.replace(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? '&#39;'),
};

const secret = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_+/=-]{12,60}$/),
  fc.string({ unit: 'grapheme-ascii', minLength: 14, maxLength: 60 }),
  fc.string({ unit: 'grapheme', minLength: 14, maxLength: 40 }),
).filter((text) => text.replace(/\s/g, '').length >= 12 && new Set(text).size > 6 && !/\p{Cs}/u.test(text)); // prettier-ignore
const around = fc.string({
  unit: fc.constantFrom('a', '1', ' ', '"', '\\', '/', '%', '+', '=', '&', '\n', 'é'),
  maxLength: 9,
});

/** Nothing that would escape the first character of what follows: what was meant then nobody can tell. */
const before = fc.oneof(
  fc.constantFrom('', 'a', '1', '+', '/', '=', '"'),
  around.map((text) => `${text}:`),
);

/** Places in an answer at which a text may stand. */
const PLACES: Record<string, (text: string) => unknown> = {
  'a content block': (text) => ({ result: { content: [{ type: 'text', text }] } }),
  'structured content': (text) => ({ result: { content: [], structuredContent: { a: [1, { b: text }] } } }),
  'a name of a member': (text) => ({ result: { content: [], structuredContent: { [text]: 1 } } }),
  'an error': (text) => ({ error: { code: -1, message: text, data: 7 } }),
  'the data of an error': (text) => ({ error: { code: -1, message: 'm', data: { a: text } } }),
  progress: (text) => ({ method: 'notifications/progress', params: { progress: 1, message: text } }),
  'a question': (text) => ({ result: { resultType: 'input_required', inputRequests: { q: { params: { message: text } } } } }),
  'bytes of a resource': (text) => ({
    result: { content: [{ type: 'resource', resource: { uri: 'a:b', blob: base64(text) } }] },
  }),
}; // prettier-ignore

describe.each(Object.entries(ENCODINGS))('a value that comes back %s', (_, encoded) => {
  it('is masked wherever it stands', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        before,
        around,
        fc.constantFrom(...Object.keys(PLACES)),
        async (value, front, after, place) => {
          const written = encoded(value);
          const message = PLACES[place]?.(front + written + after);
          const masker = await Masker.of([{ name: 'key', text: value }]);
          const masked = JSON.stringify(await masker.mask(message));
          expect(masked).toContain(place.startsWith('bytes') ? base64('[secret:key]') : '[secret:key]');
          for (const form of [json(written), json(base64(written)), json(value.trim())])
            expect(masked).not.toContain(form);
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('masks a value that begins like an escape, of whatever its encoding makes of that', async () => {
  const masker = await Masker.of([{ name: 'key', text: String.raw`\&    !!!!!!!"#$ <it's>` }]);
  const value = String.raw`\&    !!!!!!!"#$ <it's>`;
  for (const encoded of Object.values(ENCODINGS)) {
    for (const [place, put] of Object.entries(PLACES)) {
      const masked = JSON.stringify(await masker.mask(put(encoded(value))));
      expect(masked).toContain(place.startsWith('bytes') ? base64('[secret:key]') : '[secret:key]');
    }
  }
});

it.each([
  ['%', 'aa'],
  ['%4', '1'],
  ['&', '#65;'],
  ['&am', 'p;'],
  ['&#6', '5;'],
])('masks a value that ends in %s, though with the %s after it that reads as an escape', async (end, after) => {
  const value = `correct horse battery${end}`;
  const masker = await Masker.of([{ name: 'key', text: value }]);
  for (const written of [value, halfEscaped(value), unicode(value.slice(0, 5)) + value.slice(5)]) {
    const masked = JSON.stringify(await masker.mask(PLACES['a content block']?.(written + after)));
    expect(masked).toContain('[secret:key]');
    expect(masked).not.toContain('battery');
  }
});

it('keeps what only begins like a value that ends in no escape', async () => {
  for (const value of ['password&1', 'p4ssw0rd&letmein', 'production&7']) {
    const masker = await Masker.of([{ name: 'key', text: value }]);
    const innocent = PLACES['a content block']?.(`the ${value.split('&')[0]} of it`);
    expect(await masker.mask(innocent)).toBe(innocent);
  }
});

it('changes nothing of an answer that holds no value', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.stringMatching(/^[A-Za-z0-9]{16,40}$/),
      fc.jsonValue(),
      fc.base64String(),
      async (value, answer, blob) => {
        const message = { result: { content: [{ type: 'text', text: 'a' }], structuredContent: answer, data: blob } };
        expect(await (await Masker.of([{ name: 'key', text: value }])).mask(message)).toBe(message);
      },
    ),
    { numRuns: 500 },
  );
});

const masker = await Masker.of([
  { name: 'one', text: 'sk_live_0123456789' },
  { name: 'two', text: '-----BEGIN KEY-----\nAAAA+BBBB/CCCC==\n-----END KEY-----\n' },
  { name: 'digits', text: '4929123412341234' },
]);
const text = (...texts: string[]): unknown => ({ content: texts.map((each) => ({ type: 'text', text: each })) });

it('masks no more of a text than the value, where it is written in one of the usual ways', async () => {
  expect(await masker.mask(text('a sk_live_0123456789, b sk_live_0123456789.'))).toEqual(
    text('a [secret:one], b [secret:one].'),
  );
  expect(
    await masker.mask(text(`{"key":"${json('-----BEGIN KEY-----\nAAAA+BBBB/CCCC==\n-----END KEY-----\n')}"}`)),
  ).toEqual(text('{"key":"[secret:two]\\n"}'));
  expect(await masker.mask(text(`Basic ${base64('user:sk_live_0123456789')} rest`))).toEqual(
    text('Basic dXNlcj[secret:one]= rest'),
  );
});

it('masks each of several values, also where one ends in another', async () => {
  expect(await masker.mask(text('4929123412341234 sk_live_01234567894929123412341234'))).toEqual(
    text('[secret:digits] [secret:one][secret:digits]'),
  );
});

it('masks a value that is written as a number', async () => {
  expect(await masker.mask({ structuredContent: { card: 4929123412341234, other: 4929123412341 } })).toEqual({
    structuredContent: { card: '[secret:digits]', other: 4929123412341 },
  });
});

it('masks a value that is divided over blocks', async () => {
  expect(await masker.mask(text('see: sk_live_01', '23456789 done'))).toEqual(text('[secret:one]', '[secret:one]'));
  expect(await masker.mask(text('see: sk_live_01', 'and 23456789 done'))).toEqual(
    text('see: sk_live_01', 'and 23456789 done'),
  );
});

it('leaves bytes decodable', async () => {
  const blob = base64('\x00\x01 sk_live_0123456789 \xff');
  expect(await masker.mask({ content: [{ type: 'image', data: blob }] })).toEqual({
    content: [{ type: 'image', data: base64('[secret:one]') }],
  });
  const other = { content: [{ type: 'image', data: base64('\x00 nothing') }] };
  expect(await masker.mask(other)).toBe(other);
});

it.each(['x', ' ', '\\', '%', '&', 'QUJD', '%41', '\\u0041', '&#65;', 'sk_live_012345678 ', 'c2tfbGl2ZV8w'])(
  'takes an answer of 512 KiB of %j in its stride',
  async (piece) => {
    const message = text(piece.repeat((512 * 1024) / piece.length));
    expect(await masker.mask(message)).toBe(message);
    const growth = await growthOf(16 * 1024, (size) => masker.mask(text(piece.repeat(size / piece.length))));
    expect(growth).toBeLessThan(LINEAR);
  },
);

it.each([
  ['a secret that it nearly holds at every place', `${'a'.repeat(8190)}b`, 'a', 65_536],
  ['a secret that it begins at every third place', 'sk_live_0123456789', 'sk_live_012345678 ', 4 * 1024 * 1024],
])(
  'an answer takes steps as many as it is long, whatever it is masked for: %s',
  { timeout: 120_000 },
  async (_, value, piece, length) => {
    const search = await Masker.of([{ name: 'key', text: value }]);
    const message = text(piece.repeat(length / piece.length));
    expect(await search.mask(message)).toBe(message);
    expect(search.steps).toBeLessThan(40 * length);
  },
);

const prefix = 'a'.repeat(4_000);
it.each([
  [1, 'that begin alike and end each otherwise', (i: number) => `${prefix}${String(i).padStart(4, '0')}`],
  [0.5, 'of which each begins with the one before', (i: number) => `${prefix}${'a'.repeat(i)}`],
  [0.5, 'that are nearly one another', (i: number) => `${prefix}${'a'.repeat(i)}b`],
])(
  'an answer of %d MiB takes steps as many as it is long when 256 secrets begin with the same 4,000 characters: %s',
  { timeout: 240_000 },
  async (mebibytes, _, valueOf) => {
    const search = await Masker.of(Array.from({ length: 256 }, (_value, i) => ({ name: `k${i}`, text: valueOf(i) })));
    // All forms of them, and no more than may be kept for some upstreams.
    expect(search.size).toBeLessThan(16 * 1024 * 1024);
    const length = mebibytes * 1024 * 1024;
    const message = text(`${'a'.repeat(3_999)}c`.repeat(length / 4_000));
    expect(await search.mask(message)).toBe(message);
    expect(search.steps).toBeLessThan(100 * length);
    expect(await search.mask(text(`so ${valueOf(255)}!`))).toEqual(text('so [secret:k255]!'));
  },
);

it('is made in turns with others, however much there is to mask', { timeout: 120_000 }, async () => {
  const hidden = Array.from({ length: 128 }, (_, i) => ({ name: `k${i}`, text: `${i} \"é&`.padEnd(8_192, `x${i}/`) }));
  let turns = 0;
  const others = setInterval(() => turns++, 1);
  await Masker.of(hidden);
  clearInterval(others);
  expect(turns).toBeGreaterThan(100);
});

it('lets others have their turns while it looks through a long answer', { timeout: 60_000 }, async () => {
  const search = await Masker.of([{ name: 'key', text: 'sk_live_0123456789' }]);
  let turns = 0;
  const others = setInterval(() => turns++, 1);
  await search.mask(text('sk_live_012345678 '.repeat(20_000)));
  clearInterval(others);
  expect(turns).toBeGreaterThan(3);
});
