import { type Actor } from '@haldir/kernel';
import { ToolCatalogue } from './tool-catalogue.js';

const TENANT = 'tnt_1';
const ACTOR = { tenantId: TENANT } as Actor;

/** The tools of a tenant whose upstreams have a tool each, which one of the agents may not call. */
function world() {
  const state = { digest: 'one', fails: false };
  const byTenant = (value: () => unknown) => async () => new Map([[TENANT, value()]]);
  const standing = (name: string) => ({ name, prefixed: true, separator: '.', error: null, digest: state.digest });
  const definitions = vi.fn(async (_: string, names: readonly string[]) => {
    const { digest, fails } = state;
    await new Promise((resolve) => setImmediate(resolve));
    if (fails) throw new Error('no database');
    return names.map((upstream) => ({
      ...{ upstream, digest, name: 'tool', modelName: `${upstream}__tool`, hashedName: `${upstream}__tool_00000000` },
      ...{ held: false, definition: { name: 'tool', description: digest, inputSchema: { type: 'object' } } },
    }));
  });
  const policy = {
    mode: 'enforce',
    scope: { upstreams: ['a'], agents: ['kept out'], tools: [] },
    rule: { type: 'deny_list', tools: ['tool'] },
  };
  const catalogue = new ToolCatalogue(
    ...([
      { catalogues: byTenant(() => ['a', 'b'].map(standing)), names: byTenant(() => new Set(['a', 'b'])) },
      { definitions },
      { byTenants: byTenant(() => [policy]) },
    ] as unknown as [never, never, never]),
  );
  const shownTo = async (agentId: string): Promise<string[]> =>
    (await catalogue.callable(ACTOR, agentId, [])).tools.map(({ upstream, summary }) => `${upstream} ${summary}`);
  const all = (): Promise<string[][]> =>
    Promise.all(Array.from({ length: 20 }, (_, n) => shownTo(n % 2 === 0 ? 'free' : 'kept out')));
  return { state, definitions, catalogue, all };
}

describe('the tools that agents are shown', () => {
  it('are read once for all that ask at once, and made once for those that are shown the same', async () => {
    const { state, definitions, catalogue, all } = world();
    for (const digest of ['one', 'two']) {
      state.digest = digest;
      definitions.mockClear();
      const [first, second, ...others] = await all();
      expect([first, second]).toEqual([[`a ${digest}`, `b ${digest}`], [`b ${digest}`]]);
      expect(others.every((shown, n) => shown.join() === (n % 2 === 0 ? first : second)?.join())).toBe(true);
      expect(definitions.mock.calls).toEqual([[TENANT, ['a', 'b']]]);
    }
    state.digest = 'three';
    const views = await Promise.all(Array.from({ length: 20 }, () => catalogue.callable(ACTOR, 'free', [])));
    expect(new Set(views).size).toBe(1);
  });

  it('are read again after a reading that has failed, for all that waited for it', async () => {
    const { state, all } = world();
    state.fails = true;
    await expect(all()).rejects.toThrow('no database');
    state.fails = false;
    expect((await all())[0]).toEqual(['a one', 'b one']);
  });
});
