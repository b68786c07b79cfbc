import { Turns } from '@haldir/kernel';
import fc from 'fast-check';
import { MultiPatternSearch } from './multi-pattern-search.js';

function searchFor(texts: readonly string[]): MultiPatternSearch {
  const search = new MultiPatternSearch();
  const patterns = texts.map((text, i) => ({ text, before: 0, after: 0, label: `<${i}>` }) as const);
  for (const pattern of patterns) search.add(pattern);
  for (const pattern of patterns) search.settle(pattern);
  return search;
}

/** Place by place, each text compared. */
function coveredIn(text: string, texts: readonly string[]): boolean[] {
  const covered = Array<boolean>(text.length).fill(false);
  for (let at = 0; at < text.length; at++)
    for (const each of texts) if (text.startsWith(each, at)) covered.fill(true, at, at + each.length);
  return covered;
}

const pattern = fc.stringMatching(/^[ab]{8,40}$/);

it('finds what is there, and all of it, whatever else begins alike', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(pattern, { minLength: 1, maxLength: 12 }), fc.array(pattern), async (texts, around) => {
      const text = [...around, ...texts, ...around].join('');
      const covered = coveredIn(text, texts);
      let expected = '';
      for (let at = 0; at < text.length; at++) expected += covered[at] ? (covered[at - 1] ? '' : '|') : text[at];
      const replaced = await searchFor(texts).replaceIn(text, new Turns());
      // What touches is replaced one by one, what overlaps at once.
      expect(replaced.replace(/(?:<\d+>)+/g, '|')).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});

it('finds a text that is the beginning of another, and the longer one where it is', async () => {
  const search = searchFor(['abcdefgh', 'abcdefghij', 'abcdefghijklmnopq']);
  expect(await search.replaceIn('abcdefghi abcdefghijk abcdefghijklmnopq', new Turns())).toBe('<0>i <1>k <2>');
});
