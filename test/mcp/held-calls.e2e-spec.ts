import {
  type Balancer,
  BareMcp,
  decidePending,
  type FakeUpstream,
  type McpReply,
  type McpRevision,
  pendingRequest,
  saidBy,
  Scenario,
  startBalancer,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;
const REVISIONS: McpRevision[] = ['stateless', 'handshake'];

beforeAll(async () => {
  world = await startWorld({ processes: 3, environment: { MCP_HOLD_SECONDS: '6' } });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo'], { balancer });
  await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.echo'] });
});
afterEach(() => scenario.up.stop());

const decide = (decision: 'approve' | 'deny'): Promise<string> => decidePending(scenario.tenant, decision);

describe.each(REVISIONS)('a held call of the %s revisions', (revision) => {
  it('goes on by itself, once, when it is approved on any process', async () => {
    const calls = Array.from({ length: 6 }, () => scenario.agent(revision).call('up.echo', { n: 1 }));
    await decide('approve');
    const replies: McpReply[] = await Promise.all(calls);
    expect(replies.filter(({ message }) => message?.result?.isError !== true)).toHaveLength(1);
    expect(scenario.up.calls).toEqual([{ tool: 'echo', arguments: { n: 1 } }]);
  });

  it('is told at once that it is denied, and is not made', async () => {
    const call = scenario.agent(revision).call('up.echo', { n: 1 });
    await decide('deny');
    // Held for as long as nobody decides, from now on.
    let isOtherOver = false;
    const other = scenario
      .agent(revision)
      .call('up.echo', { n: 2 })
      .finally(() => (isOtherOver = true));
    expect(saidBy(await call)).toMatchObject({ status: 'approval_denied', request_id: expect.stringMatching(/^apr_/) });
    expect(isOtherOver).toBe(false);
    await other;
    expect(scenario.up.calls).toEqual([]);
  });

  it('is told to poll when nobody decides in time, or at once where it takes no event stream', async () => {
    const unstreamed = (): Promise<McpReply> =>
      scenario.agent(revision).call('up.echo', { n: 1 }, { accept: 'application/json' });
    expect(saidBy(await unstreamed())).toMatchObject({ status: 'approval_required' });
    let isHeld = true;
    const held = scenario
      .agent(revision)
      .call('up.echo', { n: 1 })
      .finally(() => (isHeld = false));
    expect(saidBy(await unstreamed())).toMatchObject({ status: 'approval_required' });
    if (!isHeld) expect(saidBy(await held)).toBe('still waiting');
    expect(saidBy(await held)).toMatchObject({ status: 'approval_required' });
    expect(scenario.up.calls).toEqual([]);
  });
});

it('a call whose session was revoked while it waited is not made', async () => {
  const call = scenario.agent('handshake').call('up.echo', { n: 1 });
  await pendingRequest(scenario.tenant);
  await scenario.tenant.delete(`/v1/sessions/${scenario.session}`);
  await decide('approve');
  const { status, message } = await call;
  expect([status, message?.error?.data?.['code']]).toEqual([403, 'invalid_session']);
  expect(scenario.up.calls).toEqual([]);
});

it('a client that goes away waits no longer, and its approval is there for the call it makes again', async () => {
  const abort = new AbortController();
  const agent = new BareMcp(
    { url: balancer.url, key: scenario.tenant.key ?? '', session: scenario.session },
    'handshake',
  );
  const gone = fetch(new URL('/mcp', balancer.url), {
    method: 'POST',
    signal: abort.signal,
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...{ authorization: `Bearer ${scenario.tenant.key ?? ''}`, 'x-session-id': scenario.session },
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up.echo', arguments: {} } }),
  });
  gone.catch(() => undefined);
  await pendingRequest(scenario.tenant);
  abort.abort();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await decide('approve');
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(scenario.up.calls).toEqual([]);
  expect((await agent.call('up.echo')).message?.result?.isError).not.toBe(true);
  expect(scenario.up.calls).toHaveLength(1);
});
