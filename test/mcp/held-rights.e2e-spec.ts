import {
  type Balancer,
  BareMcp,
  decidePending,
  type FakeUpstream,
  type McpRevision,
  pendingRequest,
  Scenario,
  startBalancer,
  startResourceUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;
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
  scenario = await Scenario.of(world, ['echo'], { balancer, scopes: ['execute', 'read'] });
  await scenario.tenant.post('/v1/approvals/rules', { type: 'all' });
  const { body } = await scenario.tenant.post<typeof agentKey>('/v1/keys', { scopes: ['proxy:write'] });
  agentKey = body;
});
afterEach(() => scenario.up.stop());

const agent = (revision: McpRevision): BareMcp =>
  new BareMcp({ url: balancer.url, key: agentKey.key, session: scenario.session }, revision);
const revoke = async (): Promise<void> => {
  expect((await scenario.tenant.delete(`/v1/keys/${agentKey.prefix}`)).status).toBe(200);
};

it.each(['stateless', 'handshake'] as const)(
  'a held call of the %s revisions whose key is revoked while it waits is not made, once approved, and the log says why',
  async (revision) => {
    const call = agent(revision).call('up.echo', { n: 1 });
    await pendingRequest(scenario.tenant);
    await revoke();
    await decidePending(scenario.tenant, 'approve');
    const { message } = await call;
    expect(scenario.up.calls).toEqual([]);
    expect(message?.result?.isError).toBe(true);
    expect(JSON.stringify(message?.result)).toContain('revoked API key');
    expect(await scenario.callEntries('up.echo')).toMatchObject([
      { action: 'tool_call_held' },
      { action: 'tool_call_blocked', details: { decision: 'blocked', code: 'unauthorized' } },
    ]);
    // The approval is of the call, not of the key that was lost.
    expect((await scenario.agent(revision).call('up.echo', { n: 1 })).message?.result?.isError).not.toBe(true);
  },
);

it('so is a resource that was to be read', async () => {
  const docs = await startResourceUpstream('docs');
  docs.resources = [{ uri: 'file:///a', name: 'a' }];
  await scenario.tenant.post('/v1/proxy/upstreams', { name: 'docs', url: docs.url });
  const read = agent('stateless').ask('resources/read', { uri: 'file:///a' }, { 'mcp-name': 'file:///a' });
  await pendingRequest(scenario.tenant);
  await revoke();
  await decidePending(scenario.tenant, 'approve');
  const { message } = await read;
  expect(docs.asked).not.toContain('resources/read');
  expect(message?.error?.message).toContain('revoked API key');
  await docs.stop();
});
