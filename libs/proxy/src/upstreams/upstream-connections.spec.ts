import { UpstreamConnections } from './upstream-connections.js';
import { type UpstreamAddress } from './upstream-address.js';
import { NO_LIMITS } from './upstream-limits.js';

const closePools = vi.fn();
const connections = new UpstreamConnections(
  { target: (url: string) => url, closePools } as never,
  {} as never,
  { resolve: async () => ({ headers: {}, told: [], order: 0 }) } as never,
  { note: async () => true, maskFor: async () => null } as never,
  {} as never,
  { placesOf: () => ({}) } as never,
  { upstreams: { timeoutMs: 1_000 } } as never,
);
const registered = (revision: string): UpstreamAddress => ({
  ...NO_LIMITS,
  ...{ tenantId: 'ten_1', name: 'up', url: 'https://example.com/', revision, headers: null },
});

it('keeps a client for each registration: what goes on with one that is over closes nothing of the next', async () => {
  const clientOf = (revision: string): Promise<unknown> =>
    connections.use(registered(revision), async (client) => client);
  const [before, after] = [await clientOf('upr_1'), await clientOf('upr_2')];
  expect(after).not.toBe(before);
  expect([await clientOf('upr_1'), await clientOf('upr_2')]).toEqual([before, after]);
  expect(closePools).not.toHaveBeenCalled();
  connections.onApplicationShutdown();
  expect(closePools.mock.calls).toEqual([['ten_1/up/upr_1'], ['ten_1/up/upr_2']]);
});
