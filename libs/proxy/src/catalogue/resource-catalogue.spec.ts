import { type Actor } from '@haldir/kernel';
import { ResourceCatalogue, type VisibleResources } from './resource-catalogue.js';

const TENANT = 'tnt_1';
const ACTOR = { tenantId: TENANT } as Actor;
const MAX_CHARS = 32 * 1024 * 1024;
const none = null as never;

/** The resources of a tenant with one upstream, which says what the test has it say. */
function world(description: string, count = 1) {
  const state = { digest: '0' };
  const read = vi.fn(async () => {
    const lists = {
      ...{ templates: [], prompts: [], completions: false },
      resources: Array.from({ length: count }, (_, n) => ({ uri: `a:${n}`, name: state.digest, description })),
    };
    return [{ upstream: 'up', digest: state.digest, lists }];
  });
  const repository = {
    states: async () => new Map([[TENANT, [{ name: 'up', prefixed: false, error: null, digest: state.digest }]]]),
    lists: read,
  };
  const upstreams = { names: async () => new Map([[TENANT, new Set(['up'])]]) };
  const policies = { byTenants: async () => new Map([[TENANT, []]]) };
  const catalogue = new ResourceCatalogue(
    ...([repository, none, upstreams, policies] as unknown as [never, never, never, never]),
    ...([none, none, none, none, none] as const),
  );
  const shown = (digest: string): Promise<VisibleResources> => {
    state.digest = digest;
    return catalogue.visible(ACTOR, 'agent');
  };
  return { shown, read };
}

describe('what agents are shown besides tools', () => {
  it('is kept by its size: lists that are superseded again and again hold no more than 32 Mi characters', async () => {
    const chars = 4 * 1024 * 1024;
    const { shown } = world('x'.repeat(chars / 128), 128);
    const digests = Array.from({ length: 12 }, (_, n) => String(n));
    const views: VisibleResources[] = [];
    for (const digest of digests) views.push(await shown(digest));
    let held = 0;
    for (const [n, digest] of [...digests.entries()].reverse()) if ((await shown(digest)) === views[n]) held++;
    expect(held).toBeGreaterThan(0);
    expect(held * chars).toBeLessThan(MAX_CHARS);
  });

  it('is read and made once for all that ask at once', async () => {
    const { shown, read } = world('little');
    const views = await Promise.all(Array.from({ length: 20 }, () => shown('0')));
    expect([new Set(views).size, read.mock.calls.length]).toEqual([1, 1]);
  });
});
