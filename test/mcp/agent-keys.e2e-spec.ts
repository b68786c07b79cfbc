import {
  type Balancer,
  BareMcp,
  type Client,
  type FakeUpstream,
  saidBy,
  Scenario,
  startBalancer,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let tenant: Client;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
  tenant = await world.newTenant();
  scenario = await Scenario.of(world, ['echo'], { balancer, tenant });
});
afterAll(async () => {
  await scenario.up.stop();
  await balancer.stop();
  await world.stop();
});

/** A client that sends one header: its key. */
async function connect(ceiling: Record<string, unknown> = {}): Promise<BareMcp> {
  const { status, body } = await tenant.post<{ key: string }>('/v1/keys', {
    tier: 'enterprise',
    agent: { agent_id: 'agent', scopes: ['execute', 'read'], ttl: 600, spend_limit: 5, ...ceiling },
  });
  if (status !== 201) throw new Error(`no agent key: ${status}`);
  return new BareMcp({ url: balancer.url, key: body.key });
}
const sessionsOf = (agentId: string): Promise<{ id: string; opened_key: string }[]> =>
  world.sql('SELECT id, opened_key FROM session WHERE agent_id = $1 ORDER BY id', [agentId]);

describe('an agent that connects with one header', () => {
  it('sees the tools of an agent and of upstreams, and calls them in a session of its own', async () => {
    const agent = await connect({ agent_id: 'one-header' });
    const names = await scenario.toolNames(agent);
    expect(names).toEqual([
      ...['checkPermission', 'getSecret', 'authorizePayment', 'logAction', 'requestApproval', 'checkApproval'],
      expect.stringMatching(/echo$/),
    ]);
    expect(JSON.stringify((await agent.call('up.echo', { message: 'hello' })).message)).toContain('echo');
    const [session, ...others] = await sessionsOf('one-header');
    expect([session?.opened_key, others]).toEqual([agent.party.key.slice(0, 14), []]);
    expect((await scenario.callEntries('up.echo')).at(-1)).toMatchObject({ session_id: session?.id });
    for (const name of ['createSession', 'getSession', 'revokeSession', 'storeSecret', 'getAuditTrail', 'getSpend'])
      expect((await agent.call(name)).message).toMatchObject({ error: { code: -32602 } });
  });

  it('has one session, however many of its requests race over any number of processes', async () => {
    const agent = await connect({ agent_id: 'racing' });
    const clients = world.apis.map((api) => agent.at(api.url));
    for (let round = 1; round <= 3; round++) {
      const replies = await Promise.all(
        Array.from({ length: 30 }, (_, i) => (clients[i % 2] as BareMcp).call('up.echo', { message: String(i) })),
      );
      expect(replies.map(({ message }) => message?.error)).toEqual(replies.map(() => undefined));
      expect(await sessionsOf('racing')).toHaveLength(round);
      // It has ended: the next request opens another, once.
      await world.sql(`UPDATE session SET expires_at = now() WHERE agent_id = 'racing'`);
    }
  });

  it('opens another when it has ended its session itself, and shares none with another key', async () => {
    const [agent, other] = [await connect({ agent_id: 'ender' }), await connect({ agent_id: 'ender' })];
    await Promise.all([agent.ask('tools/list'), other.ask('tools/list')]);
    const [first, second] = await sessionsOf('ender');
    expect(new Set([first?.opened_key, second?.opened_key]).size).toBe(2);
    const mine = first?.opened_key === agent.party.key.slice(0, 14) ? first : second;
    const ended = await fetch(`${balancer.url}/v1/sessions/${mine?.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${agent.party.key}` },
    });
    expect(ended.status).toBe(200);
    expect((await agent.ask('tools/list')).message?.error).toBeUndefined();
    expect(await sessionsOf('ender')).toHaveLength(3);
  });

  it('is stopped by an operator who ends its session, on every process and whatever it sends next', async () => {
    const agent = await connect({ agent_id: 'stopped' });
    await agent.ask('tools/list');
    const [session] = await sessionsOf('stopped');
    expect((await tenant.delete(`/v1/sessions/${session?.id}`)).status).toBe(200);
    for (const api of world.apis) {
      const reply = await agent.at(api.url).call('up.echo', { message: 'again' });
      expect([reply.status, reply.message?.error?.data]).toMatchObject([403, { code: 'agent_frozen' }]);
    }
    expect(await sessionsOf('stopped')).toHaveLength(1);
    await world.sql(`DELETE FROM agent_freeze WHERE agent_id = 'stopped'`);
    expect((await agent.call('up.echo', { message: 'on' })).message?.error).toBeUndefined();
  });

  it('names a session of its own agent if it likes, and no other’s', async () => {
    const agent = await connect();
    const own = await tenant.session({ agent_id: 'agent', scopes: ['read'] });
    const other = await tenant.session({ agent_id: 'other', scopes: ['execute'] });
    const within = (session: string): BareMcp => new BareMcp({ ...agent.party, session });
    expect((await within(own).call('up.echo', { message: 'm' })).message?.error).toBeUndefined();
    const refused = await within(other).call('up.echo', { message: 'm' });
    expect([refused.status, refused.message?.error?.data]).toMatchObject([403, { code: 'invalid_session' }]);
  });

  it('uses an approval in the session that has taken the place of the one it was asked in', async () => {
    const agent = await connect({ agent_id: 'waiting' });
    const id = await scenario.policy('require_approval', { scope: { tools: ['up.echo'], agents: ['waiting'] } });
    const call = async (): Promise<Record<string, unknown>> => saidBy(await agent.call('up.echo', { message: 'wait' }));
    const held = String((await call())['request_id']);
    expect(saidBy(await agent.call('checkApproval', { request_id: held }))).toMatchObject({ status: 'pending' });
    await world.sql(`UPDATE session SET expires_at = now() WHERE agent_id = 'waiting'`);
    expect((await call())['request_id']).toBe(held);
    expect(await sessionsOf('waiting')).toHaveLength(2);
    expect(saidBy(await agent.call('checkApproval', { request_id: held }))).toMatchObject({ status: 'pending' });
    expect((await tenant.post(`/v1/approvals/${held}/approve`)).status).toBe(200);
    // Another key of the same agent has not asked, and gets nothing of it.
    const colleague = await connect({ agent_id: 'waiting' });
    expect(saidBy(await colleague.call('checkApproval', { request_id: held }))).toMatchObject({ code: 'not_found' });
    const theirs = saidBy(await colleague.call('up.echo', { message: 'wait' }));
    expect([typeof theirs['request_id'], theirs['request_id'] === held]).toEqual(['string', false]);
    expect(JSON.stringify((await agent.call('up.echo', { message: 'wait' })).message)).toContain('"text":"echo"');
    expect(String((await call())['request_id'])).not.toBe(held);
    await tenant.delete(`/v1/proxy/policies/${id}`);
  });
});
