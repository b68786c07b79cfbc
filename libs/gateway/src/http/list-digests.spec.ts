import { type Session } from '@haldir/gate';
import { type Caller } from '@haldir/http';
import { ResourceCatalogue, ToolCatalogue } from '@haldir/proxy';
import { ListDigests } from './list-digests.js';
import { type OwnToolbox } from './tools/own-toolbox.js';
import { UpstreamResources } from './upstream-resources.js';
import { UpstreamTools } from './upstream-tools.js';

const TENANT = 'tnt_1';
const none = null as never;
const session = (agentId: string): Session => ({ agentId, catalogue: 'all', grants: () => true }) as never;
const caller = (upstreams: string[] | null = null): Caller =>
  ({ actor: { tenantId: TENANT, id: 'hld_1', agent: upstreams && { upstreams } }, scopes: ['*'] }) as never;

/** The catalogues of a tenant with an upstream of 500 resources, and how often the database is asked. */
function world() {
  const counts = { queries: 0 };
  const state = { digest: 'one', policies: [] as unknown[] };
  const byTenant = (value: () => unknown) => async () => (counts.queries++, new Map([[TENANT, value()]]));
  const upstream = () => ({ name: 'up', prefixed: false, separator: '.', error: null, digest: state.digest });
  const resources = Array.from({ length: 500 }, (_, n) => ({ uri: `a:${n}`, name: 'it' }));
  const upstreams = { catalogues: byTenant(() => [upstream()]), names: byTenant(() => new Set(['up'])) };
  const policies = { byTenants: byTenant(() => state.policies) };
  const lists = { resources, templates: [], prompts: [], completions: false };
  const repository = {
    states: byTenant(() => [upstream()]),
    lists: async () => (counts.queries++, [{ upstream: 'up', digest: state.digest, lists }]),
  };
  const tools = new ToolCatalogue(
    ...([
      upstreams,
      { definitions: async () => (counts.queries++, [{ upstream: 'up', digest: state.digest, name: null }]) },
      policies,
    ] as unknown as [never, never, never]),
  );
  const others = new ResourceCatalogue(
    ...([repository, none, upstreams, policies, none, none, none, none, none] as never[] as [
      never,
      never,
      never,
      never,
      never,
      never,
      never,
      never,
      never,
    ]),
  );
  const digests = new ListDigests(
    { names: () => [] } as unknown as OwnToolbox,
    new UpstreamTools(none, none, tools, none, none, none, none, none, none, none),
    new UpstreamResources(others, none, none, none, none, none),
  );
  const look = (callers: [Caller, Session][]) => {
    const of = digests.together();
    return Promise.all(callers.map((each) => of(...each)));
  };
  return { counts, state, look, others };
}

describe('a look at what many sessions are shown', () => {
  it('asks as often for a thousand of one agent as for one, and reads each list once', async () => {
    const { counts, look, others } = world();
    await look([[caller(), session('a')]]);
    counts.queries = 0;
    const shown = await look(Array.from({ length: 1_000 }, () => [caller(), session('a')]));
    // States, names and policies, for tools and for what else there is.
    expect([counts.queries, new Set(shown).size]).toEqual([6, 1]);
    await look(Array.from({ length: 200 }, (_, n) => [caller(), session(`agent-${n}`)]));
    expect(counts.queries).toBe(12);
    const [one, other] = await Promise.all(['b', 'c'].map((agentId) => others.visible(caller().actor, agentId)));
    expect(one).toBe(other);
  });

  it('finds what has changed, and tells apart whoever is shown something else', async () => {
    const { look, state } = world();
    const all: [Caller, Session][] = [
      [caller(), session('a')],
      [caller([]), session('a')],
      [{ ...caller(), scopes: [] }, session('a')],
      [caller(), { ...session('a'), catalogue: 'search' } as never],
    ];
    const before = await look(all);
    expect(before[0]?.resources).not.toBe(before[1]?.resources);
    expect(before[2]).toEqual(before[1]);
    expect(before[3]?.tools).toBe('searched');
    state.policies = [
      {
        mode: 'enforce',
        scope: { upstreams: [], agents: [], tools: [] },
        rule: { type: 'deny_list', tools: ['a:1'] },
      },
    ];
    const after = await look(all);
    expect(after.map(({ resources }, n) => resources === before[n]?.resources)).toEqual([false, true, true, false]);
  });
});
