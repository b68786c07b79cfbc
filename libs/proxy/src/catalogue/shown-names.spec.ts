import * as fc from 'fast-check';
import { modelNamesOf } from '../policies/model-names.js';
import { type NamedTool, ShownNames } from './shown-names.js';
import { isModelName } from './tool-name.js';
import { foldedName } from './tool-screening.js';

const tool = (upstream: string, name: string): NamedTool => ({
  ...{ upstream, name, qualifiedName: `${upstream}.${name}`, folded: foldedName(name) },
  ...modelNamesOf(upstream, name),
});
/** A name for another tool of the upstream that takes the last resort of one. */
const thief = (upstream: string, name: string): string =>
  modelNamesOf(upstream, name).hashedName.slice(upstream.length + 2);

const upstreamName = fc.constantFrom('a', 'a__b', 'B', 'long-'.repeat(12));
const toolName = fc.oneof(
  fc.constantFrom(
    'b__c',
    'c',
    'a.c',
    'a__c',
    'getSecret',
    'ünï',
    'x'.repeat(80),
    'a b',
    'a_b',
    thief('a', 'a b'),
    thief('B', 'a b'),
    'a__c__b',
  ),
  fc.string({ unit: fc.constantFrom('a', 'b', '_', '.', '/'), minLength: 1, maxLength: 5 }),
);

it('are taken by the APIs of models, and each means one tool, whatever upstreams call theirs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(upstreamName, toolName), {
        selector: ([upstream, name]) => `${upstream}.${foldedName(name)}`,
      }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      async (pairs, prefixes) => {
        const tools = pairs.map(([upstream, name]) => tool(upstream, name));
        const names = ['a', 'a__b', 'B', 'long-'.repeat(12)];
        const upstreams = names.map((name, i) => ({ name, prefixed: prefixes[i] ?? true, separator: '__' as const }));
        const shown = await ShownNames.of(tools, { upstreams, taken: ['getSecret'], taking: new Set(names) });
        const all = tools.map((each) => shown.nameOf(each));
        const given = all.filter((name) => name !== null);
        expect(given.filter((name) => !isModelName(name))).toEqual([]);
        expect(new Set(given.map((name) => name.toLowerCase())).size).toBe(given.length);
        // Only one whose last resort was taken has none.
        expect(
          tools.filter(
            ({ hashedName }, i) =>
              all[i] === null && tools.filter((each) => each.modelName === hashedName).length === 0,
          ),
        ).toEqual([]);
        expect(all).not.toContain('getSecret');
        // A look-up takes a name that says its upstream before one that is a tool's own.
        tools.forEach((each, i) => {
          const name = all[i] ?? null;
          if (name === null) return;
          const said = tools.filter(({ modelName, hashedName }) => [modelName, hashedName].includes(name));
          const own = tools.filter((other) => other.name === name && !prefixes[names.indexOf(other.upstream)]);
          expect(said.length > 0 ? said : own).toEqual([each]);
        });
      },
    ),
    { numRuns: 300 },
  );
});

it('keep the dot of an upstream that is to have it', async () => {
  const dotted = [{ name: 'a', prefixed: true, separator: '.' as const }];
  const shown = await ShownNames.of([tool('a', 'x.y')], { upstreams: dotted, taken: [], taking: new Set(['a']) });
  expect(shown.nameOf(tool('a', 'x.y'))).toBe('a.x.y');
});
