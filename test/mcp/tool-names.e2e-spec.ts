import { createHash } from 'node:crypto';
import {
  type BareMcp,
  connectMcp,
  connectOldMcp,
  type FakeUpstream,
  type Reply,
  Scenario,
  sharedWorld,
  type World,
} from '@haldir/test-support';

/** What the APIs of models take. */
const MODEL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const LONG = 'l'.repeat(128);
const TOOLS = ['echo', 'files.read', 'files_read', 'wörter/zählen', LONG, `${LONG}2`];

let world: World;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, TOOLS);
});
afterEach(() => scenario.end());

/** The name that ends in a hash of the full one. */
function hashed(upstream: string, tool: string): string {
  const flat = `${upstream}__${tool}`.replace(/[^A-Za-z0-9_-]/g, '_');
  return `${flat.slice(0, 55)}_${createHash('sha256').update(`${upstream}.${tool}`).digest('hex').slice(0, 8)}`;
}
const shown = async (prefix = ''): Promise<string[]> =>
  (await scenario.toolNames(scenario.agent())).filter((name) => name.startsWith(prefix));
const toolOf = ({ message }: Awaited<ReturnType<BareMcp['call']>>): unknown => message?.error ?? message?.result;
const called = (up: FakeUpstream): string[] => up.calls.splice(0).map(({ tool }) => tool);
const listed = async (query = ''): Promise<Record<string, unknown>[]> =>
  (await scenario.tenant.get<{ tools: Record<string, unknown>[] }>(`/v1/proxy/tools${query}`)).body.tools;

describe('the names that agents are shown', () => {
  it('are all taken by the APIs of models, and each calls its tool, as the name with the dot does', async () => {
    const names = await scenario.toolNames(scenario.agent());
    expect(names.filter((name) => !MODEL_NAME.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    const expected = {
      up__echo: 'echo',
      [hashed('up', 'files.read')]: 'files.read',
      [hashed('up', 'files_read')]: 'files_read',
      [`up__w_rter_z_hlen`]: 'wörter/zählen',
      [hashed('up', LONG)]: LONG,
      [hashed('up', `${LONG}2`)]: `${LONG}2`,
    };
    expect(names.filter((name) => name.startsWith('up__')).sort()).toEqual(Object.keys(expected).sort());
    const party = { url: scenario.tenant.url, key: scenario.tenant.key ?? '', session: scenario.session };
    const clients = [await connectMcp(party), await connectOldMcp(party)];
    for (const [name, tool] of Object.entries(expected))
      for (const client of clients) {
        await client.callTool({ name, arguments: {} });
        await client.callTool({ name: `up.${tool}`, arguments: {} });
        expect(called(scenario.up)).toEqual([tool, tool]);
      }
    await Promise.all(clients.map((client) => client.close()));
    const entries = await scenario.callEntries();
    expect(new Set(entries.map(({ tool }) => tool))).toEqual(new Set(TOOLS.map((tool) => `up.${tool}`)));
  });

  it('are said over REST, with why they end in a hash; calls there are taken by them too', async () => {
    const byName = new Map((await listed()).map((tool) => [tool['name'], tool]));
    expect(byName.get('echo')).toMatchObject({ qualified_name: 'up.echo', model_name: 'up__echo' });
    expect(byName.get('echo')).not.toHaveProperty('warning');
    expect(byName.get('files.read')).toMatchObject({
      ...{ model_name: hashed('up', 'files.read'), warning: expect.stringContaining('another tool') },
    });
    expect(byName.get(LONG)).toMatchObject({
      ...{ model_name: hashed('up', LONG), warning: expect.stringContaining('64') },
    });
    for (const { model_name: name } of byName.values()) expect((await scenario.call(String(name))).status).toBe(200);
    expect(called(scenario.up).sort()).toEqual([...TOOLS].sort());
  });

  it('keep apart tools of upstreams whose names read alike, and what both would have means neither', async () => {
    const one = await scenario.upstream('a', 'b__c');
    const other = await scenario.upstream('a__b', 'c');
    expect((await shown('a__')).sort()).toEqual([hashed('a', 'b__c'), hashed('a__b', 'c')].sort());
    await scenario.agent().call(hashed('a', 'b__c'));
    expect([called(one), called(other)]).toEqual([['b__c'], []]);
    await scenario.agent().call(hashed('a__b', 'c'));
    expect([called(one), called(other)]).toEqual([[], ['c']]);
    expect(toolOf(await scenario.agent().call('a__b__c'))).toMatchObject({ data: { upstreams: ['a', 'a__b'] } });
    expect([called(one), called(other)]).toEqual([[], []]);
  });

  it('are in no list twice, however an upstream names its tools', async () => {
    scenario.up.tools = ['a b', 'a_b', hashed('up', 'a b').slice(4)].map((name) => ({
      name,
      inputSchema: { type: 'object' },
    }));
    await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
    const names = await shown('up__');
    expect(names.sort()).toEqual([hashed('up', 'a_b'), hashed('up', hashed('up', 'a b').slice(4))].sort());
  });

  it('have a dot for an upstream whose operator wants one', async () => {
    const register = (separator: unknown): Promise<Reply> => scenario.register('up', scenario.up.url, { separator });
    expect((await register('/')).body).toMatchObject({ field: 'separator' });
    await register('.');
    expect((await scenario.tenant.get('/v1/proxy/upstreams')).body).toMatchObject({
      upstreams: { up: { separator: '.' } },
    });
    expect((await shown('up')).sort()).toEqual(TOOLS.map((tool) => `up.${tool}`).sort());
    await scenario.agent().call('up__echo');
    expect(called(scenario.up)).toEqual(['echo']);
  });
});

describe('a tool whose own name reads like a shown one of another upstream', () => {
  it('is not what that name calls once the other is gone, nor what a list allows by it', async () => {
    const evil = await scenario.upstream('evil', 'up__echo');
    await scenario.register('evil', evil.url, { prefix: false });
    await scenario.tenant.delete('/v1/proxy/upstreams/up');
    expect((await shown()).filter((name) => name.endsWith('up__echo'))).toEqual(['evil__up__echo']);
    expect(await scenario.statusOf('up__echo')).toBe(404);
    await scenario.policy('allow_list', { tools: ['up__echo'] });
    expect(await scenario.statusOf('evil.up__echo')).toBe(403);
    expect(called(evil)).toEqual([]);
  });

  it('is not what that name calls, nor shown by it', async () => {
    const evil = await scenario.upstream('evil', 'up__echo');
    await scenario.register('evil', evil.url, { prefix: false });
    expect((await shown()).filter((name) => name.endsWith('up__echo')).sort()).toEqual(['evil__up__echo', 'up__echo']);
    await scenario.agent().call('up__echo');
    await scenario.call('up__echo');
    expect([called(scenario.up), called(evil)]).toEqual([['echo', 'echo'], []]);
  });
});

describe('a policy that names a tool with the dot', () => {
  it('means it by whichever name it is called', async () => {
    const blocked = await scenario.policy('block_tool', { tool: 'up.echo' });
    expect(await shown('up__e')).toEqual([]);
    for (const name of ['up.echo', 'up__echo', hashed('up', 'echo')]) {
      expect(await scenario.statusOf(name)).toBe(403);
      expect(toolOf(await scenario.agent().call(name))).toMatchObject({ isError: true });
    }
    expect(called(scenario.up)).toEqual([]);
    await scenario.tenant.delete(`/v1/proxy/policies/${String(blocked)}`);
    for (const tool of ['up__echo', hashed('up', 'echo')]) {
      const asShown = await scenario.policy('deny_list', { tools: [tool] });
      expect(await scenario.statusOf('up.echo')).toBe(403);
      await scenario.tenant.delete(`/v1/proxy/policies/${String(asShown)}`);
    }
    // A pattern means names, and no hash that ends as it does.
    const last = hashed('up', 'echo').at(-1);
    const scoped = async (tools: string[]): Promise<number> => {
      const policy = await scenario.policy('deny_list', { tools: ['up.echo'], scope: { tools } });
      const status = await scenario.statusOf('up.echo');
      await scenario.tenant.delete(`/v1/proxy/policies/${String(policy)}`);
      return status;
    };
    expect([await scoped([`*${last}`]), await scoped(['up__*']), await scoped(['up__e*o'])]).toEqual([200, 403, 403]);
    called(scenario.up);
    await scenario.policy('allow_list', { tools: ['up.echo'] });
    expect(await scenario.statusOf('up__echo')).toBe(200);
    expect(await scenario.statusOf(hashed('up', 'files.read'))).toBe(403);
    expect(called(scenario.up)).toEqual(['echo']);
  });
});
