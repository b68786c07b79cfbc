import { growthOf, LINEAR } from '@haldir/test-support';
import fc from 'fast-check';
import { mentionsSecrets, referencesIn, withReferences } from './secret-references.js';

const fill = (args: Record<string, unknown>): unknown => withReferences(args, (name) => `<${name}>`);

it('are found in every text, however deep, and each name once', () => {
  const args = {
    a: '{{vault:x}}',
    b: [{ c: 'Bearer {{vault:y}} and {{vault:x}}' }, 7, null, true],
    '{{vault:key}}': '',
  };
  expect(referencesIn(args)).toEqual({ names: ['x', 'y'] });
  expect(fill(args)).toEqual({
    a: '<x>',
    b: [{ c: 'Bearer <y> and <x>' }, 7, null, true],
    '{{vault:key}}': '',
  });
});

it.each([
  ['{{vault:a b/ü.🔑}}', '<a b/ü.🔑>'],
  ['{{{vault:a}}}', '{<a>}'],
  ['{{vault:a}}{{vault:b}}', '<a><b>'],
  ['{{vault:a}b}}', '<a}b>'],
  ['{{!vault:a}}', '{{vault:a}}'],
  ['{{!!vault:a}} {{vault:a}}', '{{!vault:a}} <a>'],
  ['{{!vault:', '{{vault:'],
  ['{{other:a}} {vault:a} vault:a', '{{other:a}} {vault:a} vault:a'],
])('%j is written as %j', (text, written) => {
  expect(referencesIn({ text })).not.toHaveProperty('malformed');
  expect(fill({ text })).toEqual({ text: written });
});

it.each([
  '{{vault:}}',
  '{{vault:a',
  '{{vault:a}',
  '{{ vault:a}}',
  '{{vault :a}}',
  '{{Vault:a}}',
  '{{vault: a}}',
  '{{vault:a }}',
  '{{vault:a\n}}',
  '{{vault:..}}',
  '{{vault:a{{vault:b}}',
  '{{! vault:a}}',
  `{{vault:${'x'.repeat(256)}}}`,
])('%j is refused by its place', (text) => {
  expect(referencesIn({ ok: '{{vault:a}}', deep: [{}, { member: text }] })).toEqual({
    malformed: 'arguments.deep[1].member',
  });
});

it('are nowhere where nothing looks like one', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (args) => {
      fc.pre(!JSON.stringify(args).includes('vault'));
      expect(mentionsSecrets(args)).toBe(false);
      expect(referencesIn(args)).toEqual({ names: [] });
    }),
  );
});

it('are told from what was escaped, whatever stands around them', () => {
  const around = fc.string({ unit: fc.constantFrom('{', '}', '!', 'v', ':', ' ', 'x'), maxLength: 6 });
  fc.assert(
    fc.property(around, around, (before, after) => {
      const text = `${before}{{!vault:a}}{{vault:b}}${after}`;
      expect(mentionsSecrets({ text })).toBe(true);
      expect(fill({ text })).toEqual({ text: `${before}{{vault:a}}<b>${after}` });
    }),
  );
});

it('are looked for in linear time', async () => {
  for (const piece of ['{{', '{{ ', '{{!', '{{vault', '{{vault ', ' ', '{{!vault:'])
    expect([piece, await growthOf(50_000, (size) => referencesIn({ text: piece.repeat(size) }))]).toEqual([
      piece,
      expect.toSatisfy((growth: number) => growth < LINEAR),
    ]);
});
