import fc from 'fast-check';
import { exactNumber, JsonNumber } from './json-number.js';
import { outlookOn, parseJson, stringifyJson } from './json-text.js';

/** A number of JSON in any spelling. */
export const anyNumber = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,39}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,3}$/)),
  )
  .map((parts) => parts.join(''));

/** A value that `JSON.parse` would give, to compare with. */
function asDoubles(value: unknown): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(asDoubles);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, asDoubles(member)]));
}

const space = fc.constantFrom('', '', ' ', '\n\t');
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    anyNumber,
    fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null', '"\\u00e9\\n\\"\\\\"', '"1.0"', '""'),
    fc
      .tuple(space, fc.array(tie('json'), { maxLength: 4 }))
      .map(([gap, items]) => `[${gap}${items.join(`${gap},`)}${gap}]`),
    fc
      .tuple(
        space,
        fc.array(fc.tuple(fc.constantFrom('a', '__proto__', 'é', '1.0', '\\"'), tie('json')), { maxLength: 4 }),
      )
      .map(([gap, members]) => `{${members.map(([key, value]) => `${gap}"${key}"${gap}:${value}`).join(',')}${gap}}`),
  ),
}));

describe('JSON', () => {
  it('is read as JSON.parse reads it, but that no number becomes another', () => {
    fc.assert(
      fc.property(json, (text) => {
        expect(asDoubles(parseJson(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of generated numbers comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(anyNumber, { minLength: 1, maxLength: 8 }), (numbers) => {
        const text = `{"list":[${numbers.join(',')}],"one":{"deep":${numbers[0]}},"text":"1.0"}`;
        expect(stringifyJson(parseJson(text))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is refused where JSON.parse refuses it, and nowhere else', () => {
    const pieces = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        ' ',
        '1.0',
        '0',
        '01',
        '-',
        '.',
        'e',
        '+',
        '1e5',
        '"a"',
        'null',
        'tru',
      ],
      '\u0001',
    );
    const broken = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.tuple(json, fc.nat(30), pieces).map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at)),
    );
    fc.assert(
      fc.property(broken, (text) => {
        const isJson = ((): boolean => {
          try {
            JSON.parse(text);
            return true;
          } catch {
            return false;
          }
        })();
        if (isJson) expect(asDoubles(parseJson(text))).toEqual(JSON.parse(text));
        else expect(() => parseJson(text)).toThrow(SyntaxError);
      }),
      { numRuns: 5_000 },
    );
  });

  it('has a number of its own for exactly what JavaScript would write otherwise', () => {
    const plain = [
      '0',
      '1',
      '-1',
      '0.1',
      '1.5',
      '123456789012345',
      '9007199254740991',
      '0.000001',
      '1e+21',
      '1e-7',
      '-0.5',
    ];
    const exact = [
      '1.0',
      '-0',
      '0.0',
      '1e2',
      '1E5',
      '1e21',
      '0.0000001',
      '9007199254740993',
      '1e400',
      '0.10',
      '12345678901234567890',
    ];
    for (const text of plain) expect(parseJson(text), text).toBe(Number(text));
    for (const text of exact) expect(parseJson(text), text).toEqual(new JsonNumber(text));
    fc.assert(
      fc.property(anyNumber, (text) => {
        expect(parseJson(text) instanceof JsonNumber, text).toBe(String(Number(text)) !== text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('that is nested deeper than allowed is refused, brackets in strings aside', () => {
    expect(() => parseJson('[[1.0]]', { maxDepth: 1 })).toThrow('nested too deeply');
    expect(() => parseJson(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toThrow('nested too deeply');
    expect(outlookOn('["[[[\\"[[[", 1]', { maxDepth: 1 })).toBe('plain');
    expect(outlookOn('["[[[\\"[[[", 1.0]', { maxDepth: 1 })).toBe('exact');
  });

  it('that has more values than allowed is refused, those in strings aside', () => {
    const five = '{"a":[1,{},"[,,,]\\",,"],"b":2.0}';
    expect(parseJson(five, { maxValues: 7 })).toEqual({ a: [1, {}, '[,,,]",,'], b: new JsonNumber('2.0') });
    for (const text of ['[1,2,3]', '[[[]]]', '{"a":{"b":{}}}', '[{},{}]'])
      expect(() => parseJson(text, { maxValues: 2 }), text).toThrow('too many values');
  });

  it('is written as JSON.stringify writes it, exact numbers aside', () => {
    const one = new JsonNumber('1.0');
    const value = { a: [one, undefined, new Date(0)], b: undefined, c: { toJSON: () => 'x' }, d: 'é\ud800' };
    expect(stringifyJson(value)).toBe('{"a":[1.0,null,"1970-01-01T00:00:00.000Z"],"c":"x","d":"é\\ud800"}');
    expect(stringifyJson(one)).toBe('1.0');
    expect(stringifyJson({ a: [1] })).toBe('{"a":[1]}');
    expect(() => JSON.stringify({ one })).toThrow('stringifyJson');
  });
});

it.each([
  ['1.0', 1],
  ['1e2', 100],
  ['-0', 0],
  ['12.50', 12.5],
  ['1e21', 1e21],
  ['0.1e1', 1],
  ['9007199254740993', null],
  ['1e400', null],
  ['1e-400', null],
  ['0.1000000000000000055511151231257827', null],
  ['0e999999999999999999999', 0],
])('%s is exactly the double %s', (text, value) => {
  expect(exactNumber(new JsonNumber(text))).toBe(value);
});
