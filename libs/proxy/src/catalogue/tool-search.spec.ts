import { type Actor } from '@haldir/kernel';
import { type Catalogue } from './tool-catalogue.js';
import {
  type RankedPlace,
  type RankedTool,
  type Searched,
  type ToolSearchRepository,
} from './tool-search.repository.js';
import { type ToolLookup } from './tool-lookup.js';
import { ToolSearch } from './tool-search.js';

const TENANT = 'tnt_1';
const ACTOR = { tenantId: TENANT } as Actor;
const ALL = 5_000;

/** Tools that all have the words, `tool_0` the best. */
const toolAt = (n: number): RankedTool => ({ upstream: 'up', name: `tool_${n}`, rank: ALL - n });
const catalogueOf = (numbers: readonly number[]): Catalogue => ({
  ...{ missing: [], heldBack: [] },
  tools: numbers.map((n) => {
    const { upstream, name } = toolAt(n);
    return {
      ...{ upstream, name, held: false, folded: name, qualifiedName: `up.${name}`, shownName: `up__${name}` },
      ...{
        modelName: `up__${name}`,
        hashedName: `up__${name}_00000000`,
        definition: '{}',
        olderDefinition: null,
        summary: '',
      },
    };
  }),
});
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

/** Of the repository: what it was asked. */
const asked: { searched: Searched; limit: number }[] = [];
beforeEach(() => asked.splice(0));
const repository = {
  find: (_: string, searched: Searched, __: string, after: RankedPlace | null, limit: number) => {
    asked.push({ searched, limit });
    const among = searched.names && new Set(searched.names);
    const ranked = numbers(ALL).map(toolAt);
    return Promise.resolve(
      ranked
        .filter(({ name, rank }) => (among?.has(name) ?? true) && (after === null || rank < after.rank))
        .slice(0, limit),
    );
  },
} as unknown as ToolSearchRepository;
const search = new ToolSearch(repository, {} as ToolLookup);
const found = async (visible: readonly number[], after: RankedPlace | null = null): Promise<string[]> =>
  (await search.find(TENANT, catalogueOf(visible), 'word', after, 11)).map(({ name }) => name);

it('a catalogue of up to 1,000 tools is searched once, and nothing else is looked at, whatever it leaves out', async () => {
  expect(await found([4_999])).toEqual(['tool_4999']);
  expect(await found(numbers(1_000, 4_000))).toEqual(numbers(11, 4_000).map((n) => `tool_${n}`));
  expect(await found(numbers(1_000, 4_000), toolAt(4_995))).toEqual(numbers(4, 4_996).map((n) => `tool_${n}`));
  expect(asked.map(({ searched }) => searched.names?.length)).toEqual([1, 1_000, 1_000]);
});

it('a larger one of what its upstreams have, in two steps where the best are not in it', async () => {
  expect(await found(numbers(1_001, 3_999))).toEqual(numbers(11, 3_999).map((n) => `tool_${n}`));
  expect(asked).toEqual([
    { searched: { upstreams: ['up'], names: null }, limit: 11 },
    { searched: { upstreams: ['up'], names: null }, limit: 10_000 },
  ]);
  asked.splice(0);
  expect(await found(numbers(1_001))).toEqual(numbers(11).map((n) => `tool_${n}`));
  expect(asked).toHaveLength(1);
});

it('a name is one tool’s where a call takes it so, and ambiguous also where others that it means are hidden', async () => {
  const meaning = (...tools: string[]): ToolLookup =>
    ({ find: async () => ({ targets: tools.map((tool) => ({ name: 'up', tool })), policies: [] }) }) as never;
  const named = async (name: string, lookup: ToolLookup): Promise<unknown> => {
    const { tools, isAmbiguous } = await new ToolSearch(repository, lookup).named(ACTOR, catalogueOf([1, 2]), name);
    return [tools.map((tool) => tool.name), isAmbiguous];
  };
  expect(await named('up__tool_1', {} as ToolLookup)).toEqual([['tool_1'], false]);
  expect(await named('tool', meaning('tool_1'))).toEqual([['tool_1'], false]);
  expect(await named('tool', meaning('tool_1', 'tool_2'))).toEqual([['tool_1', 'tool_2'], true]);
  expect(await named('tool', meaning('tool_1', 'tool_3'))).toEqual([['tool_1'], true]);
  expect(await named('tool', meaning('tool_3', 'tool_4'))).toEqual([[], true]);
});
