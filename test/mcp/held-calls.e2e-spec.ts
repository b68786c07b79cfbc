import {
  type Balancer,
  BareMcp,
  decidePending,
  type McpEra,
  type McpReply,
  pendingRequest,
  saidBy,
  startBalancer,
  startWorld,
  type World,
} from '@haldir/test-support';
import { McpStory } from './mcp-story.js';

let world: World;
let balancer: Balancer;
let story: McpStory;
const ERAS: McpEra[] = ['stateless', 'handshake'];

beforeAll(async () => {
  world = await startWorld({ processes: 3, environment: { MCP_HOLD_SECONDS: '6' } });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  story = await McpStory.begin(balancer, await world.newTenant(), ['echo']);
  await story.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.echo'] });
});
afterEach(() => story.upstream.stop());

const decide = (decision: 'approve' | 'deny'): Promise<string> => decidePending(story.tenant, decision);

describe.each(ERAS)('a held call of the %s revisions', (era) => {
  it('goes on by itself, once, when it is approved on any process', async () => {
    const calls = Array.from({ length: 6 }, () => story.agent(era).call('up.echo', { n: 1 }));
    await decide('approve');
    const replies: McpReply[] = await Promise.all(calls);
    expect(replies.filter(({ message }) => message?.result?.isError !== true)).toHaveLength(1);
    expect(story.upstream.calls).toEqual([{ tool: 'echo', arguments: { n: 1 } }]);
  });

  it('is told at once that it is denied, and is not made', async () => {
    const call = story.agent(era).call('up.echo', { n: 1 });
    await decide('deny');
    const decidedAt = performance.now();
    expect(saidBy(await call)).toMatchObject({ status: 'approval_denied', request_id: expect.stringMatching(/^apr_/) });
    // It would be held for six seconds.
    expect(performance.now() - decidedAt).toBeLessThan(5_000);
    expect(story.upstream.calls).toEqual([]);
  });

  it('is told to poll when nobody decides in time, or at once where it takes no event stream', async () => {
    const startedAt = performance.now();
    const impatient = await story.agent(era).call('up.echo', { n: 1 }, { accept: 'application/json' });
    expect(saidBy(impatient)).toMatchObject({ status: 'approval_required' });
    expect(performance.now() - startedAt).toBeLessThan(5_500);
    expect(saidBy(await story.agent(era).call('up.echo', { n: 1 }))).toMatchObject({ status: 'approval_required' });
    expect(performance.now() - startedAt).toBeGreaterThan(5_900);
    expect(story.upstream.calls).toEqual([]);
  });
});

it('a call whose session was revoked while it waited is not made', async () => {
  const call = story.agent('handshake').call('up.echo', { n: 1 });
  await pendingRequest(story.tenant);
  await story.tenant.delete(`/v1/sessions/${story.session}`);
  await decide('approve');
  const { status, message } = await call;
  expect([status, message?.error?.data?.['code']]).toEqual([401, 'invalid_session']);
  expect(story.upstream.calls).toEqual([]);
});

it('a client that goes away waits no longer, and its approval is there for the call it makes again', async () => {
  const abort = new AbortController();
  const agent = new BareMcp({ url: balancer.url, key: story.tenant.key ?? '', session: story.session }, 'handshake');
  const gone = fetch(new URL('/mcp', balancer.url), {
    method: 'POST',
    signal: abort.signal,
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...{ authorization: `Bearer ${story.tenant.key ?? ''}`, 'x-session-id': story.session },
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up.echo', arguments: {} } }),
  });
  gone.catch(() => undefined);
  await pendingRequest(story.tenant);
  abort.abort();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await decide('approve');
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(story.upstream.calls).toEqual([]);
  expect((await agent.call('up.echo')).message?.result?.isError).not.toBe(true);
  expect(story.upstream.calls).toHaveLength(1);
});
