import {
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  connectOldMcp,
  eventually,
  type FakeUpstream,
  type McpParty,
  Scenario,
  StandingStream,
  startBalancer,
  startResourceUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

const TOOLS = 'notifications/tools/list_changed';
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const ALL = { notifications: { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } };

let world: World;
let balancer: Balancer;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});

let tenant: Client;
let scenario: Scenario<FakeUpstream>;
let streams: StandingStream[];
beforeEach(async () => {
  streams = [];
  tenant = await world.newTenant();
  scenario = await Scenario.of(world, ['echo'], { tenant, balancer });
});
afterEach(async () => {
  for (const stream of streams) stream.close();
  await scenario.end();
});

const partyAt = (process: number, session = scenario.session, { key } = tenant): McpParty => ({
  ...{ url: world.apis[process]?.url ?? '', key: key ?? '', session },
});
async function stand(party = partyAt(1), headers: Record<string, string> = {}): Promise<StandingStream> {
  const stream = await StandingStream.get(party, headers);
  streams.push(stream);
  return stream;
}
async function listen(party = partyAt(1), params: Record<string, unknown> = ALL): Promise<StandingStream> {
  const stream = await StandingStream.listen(party, params);
  streams.push(stream);
  if (stream.status === 200) await eventually(() => expect(stream.said[0]).toBe(ACKNOWLEDGED));
  return stream;
}
/** Has the upstream list these, at the first process. */
async function list(...names: string[]): Promise<void> {
  scenario.up.tools = names.map((name) => ({ name, inputSchema: { type: 'object' } }));
  await tenant.post('/v1/proxy/upstreams/up/refresh');
}
const hear = (stream: StandingStream, ...said: string[]): Promise<void> =>
  eventually(() => expect(stream.said.filter((method) => method !== ACKNOWLEDGED)).toEqual(said));

it('clients of both revisions hear of changed tools, whichever process changes them', async () => {
  const party = { url: balancer.url, key: tenant.key ?? '', session: scenario.session };
  const heard = { modern: 0, legacy: 0, old: 0 };
  const modern = await connectMcp(party, 'stateless', {
    prepare: (client) => client.setNotificationHandler(TOOLS, () => void heard.modern++),
  });
  const legacy = await connectMcp(party, 'handshake', {
    prepare: (client) => client.setNotificationHandler(TOOLS, () => void heard.legacy++),
  });
  const old = await connectOldMcp(party, {
    prepare: (client) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.old++),
  });
  for (const client of [modern, legacy, old])
    expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true } });
  const { honoredFilter, close } = await modern.listen({ toolsListChanged: true, resourceSubscriptions: ['a:b'] });
  expect(honoredFilter).toEqual({ toolsListChanged: true });
  let changes = 0;
  // The others open their streams when they like.
  await eventually(async () => {
    await list('echo', `tool_${changes++}`);
    await eventually(() => expect(Object.values(heard)).not.toContain(0), 3_000);
  }, 60_000);
  await close();
  await Promise.all([modern, legacy, old].map((client) => client.close()));
});

describe('what a session is shown', () => {
  it('is told of when it is another, whatever has changed it, and what nobody asked for is not', async () => {
    const [standing, listening] = [await stand(), await listen()];
    const prompting = await listen(partyAt(1), { notifications: { promptsListChanged: true } });
    const searching = await listen(partyAt(1, await tenant.session({ scopes: ['execute'], catalogue: 'search' })));
    const each = async (change: Promise<unknown>, ...said: string[]): Promise<void> => {
      await change;
      for (const stream of [standing, listening]) {
        await hear(stream, ...said);
        stream.messages.length = stream === listening ? 1 : 0;
      }
    };
    await each(list('echo', 'more'), TOOLS);
    const policy = scenario.policy('block_tool', { tool: 'up.echo' });
    await each(policy, TOOLS);
    await each(tenant.delete(`/v1/proxy/policies/${await policy}`), TOOLS);
    scenario.up.tools = [{ name: 'more', description: 'another', inputSchema: { type: 'object' } }];
    await each(tenant.post('/v1/proxy/upstreams/up/refresh'), TOOLS);
    const [held] = (await tenant.get<{ tools: Record<string, unknown>[] }>('/v1/proxy/tools?drifted=true')).body.tools;
    const { fingerprint } = held?.['drift'] as { fingerprint: string };
    await each(tenant.post('/v1/proxy/upstreams/up/tools/more/accept', { fingerprint }), TOOLS);
    await each(tenant.patch('/v1/proxy/upstreams/up', { prefix: false }), TOOLS);
    const other = scenario.keep(await startResourceUpstream('other'));
    other.tools = [];
    const lists = ['tools', 'prompts', 'resources'].map((name) => `notifications/${name}/list_changed`);
    await each(scenario.register('other', other.url), ...lists.slice(1));
    await each(tenant.delete('/v1/proxy/upstreams/up'), TOOLS);
    await hear(prompting, 'notifications/prompts/list_changed');
    await hear(searching, ...lists.slice(1));
    expect(listening.messages[0]).toMatchObject({
      params: { ...ALL, _meta: { 'io.modelcontextprotocol/subscriptionId': 'l1' } },
    });
  });

  it('is not told to others: another agent, whom it does not concern, nor another tenant', async () => {
    const concerned = await listen(partyAt(1, await tenant.session({ agent_id: 'other', scopes: ['execute'] })));
    const mine = await listen();
    const stranger = await world.newTenant();
    const theirs = await stand(partyAt(1, await stranger.session({ scopes: ['execute'] }), stranger));
    await scenario.policy('block_tool', { tool: 'up.echo', scope: { agents: ['other'] } });
    await hear(concerned, TOOLS);
    await list('echo', 'more');
    await hear(mine, TOOLS);
    expect(theirs.said).toEqual([]);
  });

  it('is told to one that comes back, at another process, if it has changed meanwhile', async () => {
    const first = await stand(partyAt(0));
    await eventually(() => expect(first.id).not.toBeNull());
    first.close();
    const same = await stand(partyAt(1), { 'last-event-id': String(first.id) });
    await list('echo', 'more');
    await hear(same, TOOLS);
    expect(same.id).not.toBe(first.id);
    const back = await stand(partyAt(1), { 'last-event-id': String(first.id) });
    await hear(back, TOOLS);
    const current = await stand(partyAt(0), { 'last-event-id': String(same.id) });
    const odd = await stand(partyAt(0), { 'last-event-id': 'odd' });
    await list('echo');
    for (const stream of [current, odd]) await hear(stream, TOOLS);
  });
});

describe('a stream', () => {
  const agentKey = async (agentId: string): Promise<string> => {
    const agent = { agent_id: agentId, scopes: ['execute'], ttl: 600, spend_limit: 0 };
    return (await tenant.post<{ key: string }>('/v1/keys', { tier: 'enterprise', agent })).body.key;
  };
  const ended = async (...those: StandingStream[]): Promise<void> => {
    for (const stream of those) await eventually(() => expect(stream.isOver).toBe(true));
  };

  it('ends with its session, its key, or its agent, and says so where there is an answer', async () => {
    const [standing, listening] = [await stand(), await listen()];
    await tenant.delete(`/v1/sessions/${scenario.session}`);
    await ended(standing, listening);
    expect([standing.said, listening.said]).toEqual([[], [ACKNOWLEDGED, 'result']]);
    expect((await StandingStream.get(partyAt(1))).status).toBe(403);

    const [frozen, revoked] = [await agentKey('frozen'), await agentKey('revoked')];
    const open = await Promise.all(
      [frozen, revoked].map(async (key) => {
        const party = { url: partyAt(1).url, key };
        await new BareMcp(party).ask('tools/list');
        return stand(party);
      }),
    );
    await tenant.post('/v1/agents/frozen/freeze', { reason: 'test' });
    await tenant.delete(`/v1/keys/${revoked.slice(0, 14)}`);
    await ended(...open);
  });

  it('opens no session by itself: after that of an agent key there is none, until the agent asks for something', async () => {
    const party: McpParty = { url: partyAt(1).url, key: await agentKey('idle') };
    const sessions = async (): Promise<unknown> => (await tenant.get('/v1/sessions?agent_id=idle')).body['count'];
    expect([(await stand(party)).status, await sessions()]).toEqual([405, 0]);
    const agent = new BareMcp(party);
    for (const count of [1, 2]) {
      await agent.ask('tools/list');
      const standing = await stand(party);
      expect(standing.status).toBe(200);
      await world.sql(`UPDATE session SET expires_at = now() WHERE agent_id = 'idle'`);
      await ended(standing);
      expect([(await stand(party)).status, await sessions()]).toEqual([405, count]);
    }
  });

  it('is one of so many of a key', async () => {
    const all = await Promise.all(Array.from({ length: 33 }, () => StandingStream.get(partyAt(1))));
    streams.push(...all);
    expect(all.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 32 }, () => 200), 429]);
    expect((await StandingStream.listen(partyAt(1), ALL)).status).toBe(429);
    for (const stream of all) stream.close();
    await eventually(async () => expect((await stand()).status).toBe(200));
  });

  it('is there for clients after a handshake, in a session, who take events', async () => {
    const { session: _, ...operator } = partyAt(0);
    expect((await StandingStream.get(operator)).status).toBe(405);
    const odd: Record<string, string>[] = [{ accept: 'application/json' }, { 'mcp-protocol-version': '2026-07-28' }];
    for (const headers of odd) expect((await StandingStream.get(partyAt(0), headers)).status).toBe(405);
    expect((await StandingStream.get(partyAt(0), { 'mcp-protocol-version': '1' })).status).toBe(400);
    expect((await StandingStream.get({ ...partyAt(0), key: 'hld_none' })).status).toBe(401);
    const head = await tenant.send('HEAD', '/mcp', undefined, { accept: 'text/event-stream' });
    expect(head.status).toBe(405);
    const own = await listen(operator);
    await hear(own, 'result');
    for (const [notifications, field] of [
      [undefined, 'params.notifications'],
      [[], 'params.notifications'],
      [{ toolsListChanged: 'yes' }, 'params.notifications.toolsListChanged'],
    ] as const) {
      const refused = await StandingStream.listen(partyAt(0), { notifications });
      await eventually(() => expect(refused.messages[0]?.error?.message).toContain(field));
    }
  });
});
