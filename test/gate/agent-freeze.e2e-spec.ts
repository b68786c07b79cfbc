import {
  Client,
  eventually,
  type FakeUpstream,
  pendingRequest,
  type Reply,
  startFakeUpstream,
  startReceiver,
  startWorker,
  startWorld,
  text,
  type World,
} from '@haldir/test-support';

type Body = Record<string, unknown>;
interface Agents extends Body {
  agents: (Body & { agent_id: string })[];
  next_cursor: string | null;
}

let world: World;
let upstream: FakeUpstream;
beforeAll(async () => {
  [world, upstream] = await Promise.all([
    startWorld({ processes: 2, environment: { MCP_HOLD_SECONDS: '20' } }),
    startFakeUpstream('pay'),
  ]);
  upstream.answer = () => text('paid');
});
afterAll(async () => {
  await world.stop();
  await upstream.stop();
});

/** A tenant, with an agent key of one agent and a session that it opened. */
class Scenario {
  private constructor(
    readonly operator: Client,
    readonly agent: Client,
    readonly session: string,
  ) {}

  static async of(agentId = 'buyer'): Promise<Scenario> {
    const operator = await world.newTenant();
    await operator.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
    await operator.post('/v1/secrets', { name: 'token', value: 'correct horse' });
    const { agent, session } = await Scenario.agentOf(operator, agentId);
    return new Scenario(operator, agent, session);
  }

  static async agentOf(operator: Client, agentId: string): Promise<{ agent: Client; session: string }> {
    const grant = { agent_id: agentId, scopes: ['read', 'execute', 'spend'], ttl: 3600, spend_limit: 100 };
    const { status, body } = await operator.post<{ key: string }>('/v1/keys', { name: agentId, agent: grant });
    if (status !== 201) throw new Error(`no agent key: ${JSON.stringify(body)}`);
    const agent = new Client(operator.url, body.key);
    const scopes = ['read', 'execute', 'spend'];
    return { agent, session: await agent.session({ agent_id: agentId, scopes, spend_limit: 50 }) };
  }

  /** What the agent tries, each at both processes. */
  async tries(): Promise<Record<string, number[]>> {
    const by = world.apis.map((api) => this.agent.at(api));
    const all = async (ask: (client: Client) => Promise<Reply<unknown>>): Promise<number[]> =>
      (await Promise.all(by.map(ask))).map(({ status }) => status);
    const session_id = this.session;
    return {
      call: await all((client) => client.post('/v1/proxy/call', { session_id, tool: 'up.pay', arguments: {} })),
      payment: await all((client) => client.post('/v1/payments/authorize', { session_id, amount: 1 })),
      secret: await all((client) => client.get('/v1/secrets/token', { 'x-session-id': session_id })),
      log: await all((client) => client.post('/v1/audit', { session_id, tool: 'x', action: 'y' })),
      opening: await all((client) => client.post('/v1/sessions', { agent_id: 'buyer', scopes: ['read'], ttl: 60 })),
      mcp: await all((client) =>
        client.post(
          '/mcp',
          { jsonrpc: '2.0', id: 1, method: 'tools/list' },
          { accept: 'application/json, text/event-stream' },
        ),
      ),
    };
  }

  freeze(reason = 'looks wrong', agentId = 'buyer'): Promise<Reply<Body>> {
    return this.operator.post<Body>(`/v1/agents/${agentId}/freeze`, { reason });
  }

  unfreeze(agentId = 'buyer'): Promise<Reply<Body>> {
    return this.operator.post<Body>(`/v1/agents/${agentId}/unfreeze`);
  }

  async entries(action: string): Promise<Body[]> {
    const { body } = await this.operator.get<{ entries: Body[] }>('/v1/audit?tool=haldir.gate&limit=1000');
    return body.entries.filter((entry) => entry['action'] === action);
  }
}

const everywhere = (status: number): Record<string, number[]> =>
  Object.fromEntries(
    ['call', 'payment', 'secret', 'log', 'opening', 'mcp'].map((what) => [
      what,
      [status, status].map((one) => (what === 'opening' || what === 'log' ? (one === 200 ? 201 : one) : one)),
    ]),
  );

describe('a frozen agent', () => {
  it('is refused whatever it tries, at every process, until it is unfrozen', async () => {
    const scenario = await Scenario.of();
    expect(await scenario.tries()).toEqual(everywhere(200));
    const held = await scenario.agent.post<Body>('/v1/payments/hold', { session_id: scenario.session, amount: 1 });
    const hold = String(held.body['authorization_id']);
    expect((await scenario.freeze()).body).toEqual({
      frozen: true,
      agent_id: 'buyer',
      changed: true,
      denied_approvals: 0,
      revoked_grants: 0,
    });
    const refused = await scenario.tries();
    expect((await scenario.operator.post(`/v1/payments/${hold}/capture`)).body).toMatchObject({ code: 'agent_frozen' });
    for (const [what, statuses] of Object.entries(refused))
      expect([what, statuses.every((status) => status === 401 || status === 403)]).toEqual([what, true]);
    expect((await scenario.unfreeze()).body).toEqual({ frozen: false, agent_id: 'buyer', changed: true });
    expect(await scenario.tries()).toEqual(everywhere(200));
  });

  it('is frozen and unfrozen once, with one entry and one event each, however often it is asked for', async () => {
    const receiver = await startReceiver();
    const worker = await startWorker(world.environment);
    try {
      const scenario = await Scenario.of();
      const { body } = await scenario.operator.post<{ webhook_id: number; secret: string }>('/v1/webhooks', {
        url: receiver.url('frozen'),
        events: ['agent_frozen', 'agent_unfrozen'],
      });
      receiver.expectSecrets(body.webhook_id, [body.secret]);
      const frozen = await Promise.all(Array.from({ length: 5 }, () => scenario.freeze()));
      expect(frozen.filter(({ body: { changed } }) => changed)).toHaveLength(1);
      expect((await scenario.freeze('again')).body).toMatchObject({ changed: false });
      const lifted = await Promise.all(Array.from({ length: 5 }, () => scenario.unfreeze()));
      expect(lifted.filter(({ body: { changed } }) => changed)).toHaveLength(1);
      expect(await scenario.entries('agent_frozen')).toHaveLength(1);
      expect(await scenario.entries('agent_unfrozen')).toHaveLength(1);
      await eventually(() => expect(receiver.at('frozen')).toHaveLength(2));
      expect(receiver.at('frozen').map(({ body: sent }) => (sent as Body)['event'] ?? (sent as Body)['type'])).toEqual(
        expect.arrayContaining(['agent_frozen', 'agent_unfrozen']),
      );
      expect(receiver.faults).toEqual([]);
    } finally {
      await worker.stop();
      await receiver.stop();
    }
  });

  it('has what waits for approval denied, and a call that is held ends without being made', async () => {
    const scenario = await Scenario.of();
    await scenario.operator.post('/v1/proxy/policies', { type: 'require_approval' });
    const before = upstream.calls.length;
    const held = scenario.agent.post<Body>(
      '/mcp',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up.pay', arguments: {} } },
      { accept: 'application/json, text/event-stream' },
    );
    await pendingRequest(scenario.operator);
    expect((await scenario.freeze()).body).toMatchObject({ changed: true, denied_approvals: 1 });
    const { body } = await held;
    expect(JSON.stringify(body)).not.toContain('paid');
    expect(upstream.calls).toHaveLength(before);
    expect((await scenario.operator.get('/v1/approvals/pending')).body).toMatchObject({ requests: [] });
  });

  it('stays so when its session was ended by somebody else, and not when it ended it itself', async () => {
    const scenario = await Scenario.of();
    expect((await scenario.agent.delete(`/v1/sessions/${scenario.session}`)).status).toBe(200);
    expect((await scenario.agent.post('/v1/sessions', { agent_id: 'buyer', scopes: ['read'], ttl: 60 })).status).toBe(
      201,
    );
    const session = await scenario.agent.session({ agent_id: 'buyer', scopes: ['read'], ttl: 60 });
    expect((await scenario.operator.delete(`/v1/sessions/${session}`)).status).toBe(200);
    expect((await scenario.agent.post('/v1/sessions', { agent_id: 'buyer', scopes: ['read'], ttl: 60 })).status).toBe(
      403,
    );
    expect(await scenario.entries('agent_frozen')).toHaveLength(1);
    await scenario.unfreeze();
    expect((await scenario.agent.post('/v1/sessions', { agent_id: 'buyer', scopes: ['read'], ttl: 60 })).status).toBe(
      201,
    );
  });
});

describe('a frozen tenant', () => {
  it('has every agent stopped, those of operator keys and those to come included, and goes on as it was', async () => {
    const scenario = await Scenario.of();
    const other = await Scenario.agentOf(scenario.operator, 'other');
    const opened = await scenario.operator.session({ agent_id: 'third', scopes: ['read', 'execute'] });
    await scenario.freeze('by itself', 'other');
    expect((await scenario.operator.post<Body>('/v1/freeze', { reason: 'incident' })).body).toEqual({
      ...{ frozen: true, agent_id: null, changed: true, denied_approvals: 0, revoked_grants: 0 },
    });
    const call = (session_id: string): Promise<Reply<Body>> =>
      scenario.operator.post<Body>('/v1/proxy/call', { session_id, tool: 'up.pay', arguments: {} });
    expect((await call(opened)).status).toBe(401);
    for (const statuses of Object.values(await scenario.tries()))
      expect(statuses.every((status) => status === 401 || status === 403)).toBe(true);
    expect((await scenario.operator.post('/v1/sessions', { agent_id: 'new' })).status).toBe(403);
    expect((await scenario.operator.get<Agents>('/v1/agents')).body).toMatchObject({
      tenant_frozen: { reason: 'incident' },
    });
    expect((await scenario.operator.post<Body>('/v1/unfreeze')).body).toMatchObject({ frozen: false, changed: true });
    expect((await call(opened)).status).toBe(200);
    expect(await scenario.tries()).toEqual(everywhere(200));
    expect((await other.agent.post('/v1/sessions', { agent_id: 'other', scopes: ['read'], ttl: 60 })).status).toBe(403);
    expect(await scenario.entries('tenant_frozen')).toHaveLength(1);
  });
});

describe('the list of agents', () => {
  it('has their sessions, spending, flags and freezes, a page at a time, of one tenant', async () => {
    const scenario = await Scenario.of();
    const stranger = await world.newTenant();
    await scenario.agent.post('/v1/payments/authorize', { session_id: scenario.session, amount: 7.5 });
    await Scenario.agentOf(scenario.operator, 'another');
    await scenario.freeze('looks wrong', 'another');
    const { agents } = (await scenario.operator.get<Agents>('/v1/agents')).body;
    expect(agents).toEqual([
      {
        ...{ agent_id: 'another', active_sessions: 1, spent_usd: 0, flagged: expect.any(Number) },
        ...{ actions: expect.any(Number), last_seen: expect.closeTo(Date.now() / 1000, -2) },
        frozen: { reason: 'looks wrong', by: expect.stringMatching(/^hld_/), at: expect.any(Number) },
      },
      expect.objectContaining({ agent_id: 'buyer', active_sessions: 1, spent_usd: 7.5, frozen: null }),
    ]);
    const first = (await scenario.operator.get<Agents>('/v1/agents?limit=1')).body;
    expect(first.agents.map(({ agent_id }) => agent_id)).toEqual(['another']);
    const second = (await scenario.operator.get<Agents>(`/v1/agents?limit=1&cursor=${first.next_cursor}`)).body;
    expect([second.agents.map(({ agent_id }) => agent_id), second.next_cursor]).toEqual([['buyer'], null]);
    const { agents: alone, next_cursor: after } = (await scenario.operator.get<Agents>('/v1/agents?agent_id=buyer'))
      .body;
    expect([alone, after]).toEqual([[agents[1]], null]);
    expect((await scenario.operator.get<Agents>('/v1/agents?agent_id=buy')).body).toMatchObject({ agents: [] });
    expect((await stranger.get<Agents>('/v1/agents?agent_id=buyer')).body).toMatchObject({ agents: [] });
    expect((await stranger.get<Agents>('/v1/agents')).body).toMatchObject({ agents: [] });
    expect((await scenario.agent.get('/v1/agents')).status).toBe(403);
    expect((await scenario.agent.post('/v1/agents/buyer/unfreeze')).status).toBe(403);
  });

  it('takes no agent of a name that none can have, and no freeze without a reason', async () => {
    const scenario = await Scenario.of();
    expect((await scenario.freeze('x', 'a'.repeat(129))).status).toBe(400);
    for (const reason of [undefined, '', 7, 'x'.repeat(1001)])
      expect((await scenario.operator.post('/v1/agents/buyer/freeze', { reason })).status).toBe(400);
    expect(await scenario.entries('agent_frozen')).toEqual([]);
  });
});
