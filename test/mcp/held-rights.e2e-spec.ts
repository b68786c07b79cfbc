import {
  type Balancer,
  BareMcp,
  decidePending,
  type McpEra,
  pendingRequest,
  startBalancer,
  startOfferingUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';
import { McpStory } from './mcp-story.js';

let world: World;
let balancer: Balancer;
let story: McpStory;
let agentKey: { key: string; prefix: string };
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { MCP_HOLD_SECONDS: '20' } });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  story = await McpStory.begin(balancer, await world.newTenant(), ['echo'], ['execute', 'read']);
  await story.tenant.post('/v1/approvals/rules', { type: 'all' });
  const { body } = await story.tenant.post<typeof agentKey>('/v1/keys', { scopes: ['proxy:write'] });
  agentKey = body;
});
afterEach(() => story.upstream.stop());

const agent = (era: McpEra): BareMcp =>
  new BareMcp({ url: balancer.url, key: agentKey.key, session: story.session }, era);
const revoke = async (): Promise<void> => {
  expect((await story.tenant.delete(`/v1/keys/${agentKey.prefix}`)).status).toBe(200);
};

it.each(['stateless', 'handshake'] as const)(
  'a held call of the %s revisions whose key is revoked while it waits is not made, once approved, and the log says why',
  async (era) => {
    const call = agent(era).call('up.echo', { n: 1 });
    await pendingRequest(story.tenant);
    await revoke();
    await decidePending(story.tenant, 'approve');
    const { message } = await call;
    expect(story.upstream.calls).toEqual([]);
    expect(message?.result?.isError).toBe(true);
    expect(JSON.stringify(message?.result)).toContain('revoked API key');
    expect(await story.entries('up.echo')).toMatchObject([
      { action: 'tool_call_held' },
      { action: 'tool_call_blocked', details: { decision: 'blocked', code: 'unauthorized' } },
    ]);
    // The approval is of the call, not of the key that was lost.
    expect((await story.agent(era).call('up.echo', { n: 1 })).message?.result?.isError).not.toBe(true);
  },
);

it('so is a resource that was to be read', async () => {
  const docs = await startOfferingUpstream('docs');
  docs.resources = [{ uri: 'file:///a', name: 'a' }];
  await story.tenant.post('/v1/proxy/upstreams', { name: 'docs', url: docs.url });
  const read = agent('stateless').ask('resources/read', { uri: 'file:///a' }, { 'mcp-name': 'file:///a' });
  await pendingRequest(story.tenant);
  await revoke();
  await decidePending(story.tenant, 'approve');
  const { message } = await read;
  expect(docs.asked).not.toContain('resources/read');
  expect(message?.error?.message).toContain('revoked API key');
  await docs.stop();
});
