import fc from 'fast-check';
import { visibleJson, visibleJsonText, visibleText, visibleTextInTurns } from './hidden-text.js';
import { parseJson, stringifyJson } from './json-text.js';
import { Turns } from './turns.js';

describe('a text made visible', () => {
  it.each([
    ['plain, “quoted” text: ü 漢字 🙂', 'plain, “quoted” text: ü 漢字 🙂'],
    ['two\nlines\tand a tab\r\n', 'two\nlines\tand a tab\r\n'],
    ['pay\u202eevil', String.raw`pay\u{202e}evil`],
    ['zero\u200bwidth\u00ad', String.raw`zero\u{200b}width\u{ad}`],
    ['tag\u{e0041}\u{e007f}', String.raw`tag\u{e0041}\u{e007f}`],
    ['bell\u0007\u0000', String.raw`bell\u{7}\u{0}`],
    ['line\u2028end', String.raw`line\u{2028}end`],
    ['filled\u3164\u2800', String.raw`filled\u{3164}\u{2800}`],
    [String.raw`\u{202e}`, String.raw`\u{5c}u{202e}`],
    [String.raw`\\u{202e} \u202e`, String.raw`\\u{5c}u{202e} \u202e`],
  ])('%j is shown as %j', (text, expected) => {
    expect(visibleText(text)).toBe(expected);
  });

  it('is shown like no other text', () => {
    const piece = fc.constantFrom('a', '\\', 'u{', '202e}', '\u202e', '5c}', '\u200b', '200b}', '\\u{5c}');
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(visibleText(one) === visibleText(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds nothing hidden, and JSON likewise, names of members included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visibleText(visibleText(text))).not.toMatch(/[\p{Cf}\p{DI}]/u);
      }),
    );
    expect(visibleJson({ 'a\u200b': ['\u202e', 1, null, { b: '\u2066' }] })).toEqual({
      [String.raw`a\u{200b}`]: [String.raw`\u{202e}`, 1, null, { b: String.raw`\u{2066}` }],
    });
  });
});

describe('made visible in turns', () => {
  /** Every turn is over at once. */
  const short = (): Turns => new Turns(0);

  it('a text is what it is at once', async () => {
    const piece = fc.constantFrom('a', '\\', 'u{', '\u202e', '\ud83d\ude00', '\u0000', '\\u{5c}');
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (it) => {
        expect(await visibleTextInTurns(it, short())).toBe(visibleText(it));
      }),
    );
  });

  it('JSON is what it is at once, names, numbers and order included', async () => {
    const json = fc.json({ stringUnit: 'binary' });
    await fc.assert(
      fc.asyncProperty(json, async (text) => {
        const value = parseJson(`[${text},1.0,{"b\u200b":9007199254740993,"a":{},"0":[]}]`);
        expect(await visibleJsonText(value, short())).toBe(stringifyJson(visibleJson(value)));
      }),
    );
  });

  it.each([
    ['a text of hidden characters', '\u007f'.repeat(10_000)],
    ['a list', Array.from({ length: 10_000 }, () => 0)],
    ['an object', Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`a\u200b${i}`, `${i}\u00ad`]))],
  ])('%s leaves a turn to others wherever its own is over', async (_, value) => {
    const turns = short();
    const next = vi.spyOn(turns, 'next');
    await visibleJsonText(value, turns);
    expect(next.mock.calls.length).toBeGreaterThanOrEqual(10_000);
  });
});
