import { type AppProcess, Client, startFakeUpstream, startWorld, type World } from '@haldir/test-support';

type Json = Record<string, unknown>;

let world: World;
let operator: Client;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  operator = await world.newTenant();
});
afterAll(() => world.stop());

const CEILING = { agent_id: 'agent', scopes: ['execute', 'read'], ttl: 600, spend_limit: 5 };

/** A client of the tenant's with an agent key. */
async function agentKey(ceiling: Json = {}, key: Json = {}): Promise<Client> {
  const { status, body } = await operator.post('/v1/keys', {
    ...{ name: 'agent', tier: 'enterprise', agent: { ...CEILING, ...ceiling } },
    ...key,
  });
  if (status !== 201) throw new Error(`no agent key: ${status} ${JSON.stringify(body)}`);
  return new Client(operator.url, String(body['key']));
}

const prefixOf = ({ key }: Client): string => key?.slice(0, 14) ?? '';

async function entriesOf(action: string): Promise<(Json & { details: Json })[]> {
  const { body } = await operator.get<{ entries: (Json & { details: string })[] }>('/v1/audit?limit=1000');
  return body.entries
    .filter((entry) => entry['action'] === action)
    .map((entry) => ({ ...entry, details: JSON.parse(entry.details) as Json }));
}

describe('an agent key', () => {
  it('is made with its ceiling, which the answer, the list and the log show', async () => {
    const made = await operator.post('/v1/keys', {
      name: 'buyer',
      agent: { agent_id: 'buyer', scopes: ['execute'], ttl: 60, spend_limit: 1.5, upstreams: ['up'] },
    });
    const agent = {
      ...{ agent_id: 'buyer', scopes: ['execute', 'spend'], ttl: 60, spend_limit: 1.5, spend_period: 'day' },
      upstreams: ['up'],
    };
    expect([made.status, made.body]).toMatchObject([201, { agent }]);
    const { body } = await operator.get<{ keys: Json[] }>('/v1/keys');
    expect(body.keys.find(({ name }) => name === 'buyer')).toMatchObject({ agent, scopes: made.body['scopes'] });
    expect(body.keys[0]).toMatchObject({ agent: null });
    const [created] = await entriesOf('api_key_created');
    expect(created?.details).toMatchObject({ prefix: made.body['prefix'], agent, by: prefixOf(operator) });
  });

  it.each([
    ['agent.spend_limit', { ...CEILING, spend_limit: undefined }],
    ['agent.spend_limit', { ...CEILING, spend_limit: null }],
    ['agent.ttl', { ...CEILING, ttl: undefined }],
    ['agent.scopes', { ...CEILING, scopes: [] }],
    ['agent.scopes', { ...CEILING, scopes: ['spend:5'] }],
    ['agent.agent_id', { ...CEILING, agent_id: '' }],
    ['agent.spend_period', { ...CEILING, spend_period: 'week' }],
    ['agent.upstreams', { ...CEILING, upstreams: [] }],
  ])('is not made without what bounds it: %s', async (field, agent) => {
    const { status, body } = await operator.post('/v1/keys', { agent });
    expect([status, String(body['error'])]).toEqual([400, expect.stringContaining(`${field}: `)]);
  });

  it('is given no scope that is more than acting, and is nobody’s first', async () => {
    for (const scope of ['*', 'proxy:write', 'proxy:*', 'admin:read', 'approvals:decide', 'approvals:read'])
      expect((await operator.post('/v1/keys', { scopes: [scope], agent: CEILING })).body).toMatchObject({
        code: 'invalid_scope',
      });
    const first = { bootstrap_token: 'bootstrap-token-of-the-tests', agent: CEILING };
    expect((await new Client(operator.url, null).post('/v1/keys', first)).status).toBe(400);
    const narrow = await agentKey({}, { scopes: ['proxy:call'] });
    expect((await narrow.post('/v1/sessions', { agent_id: 'agent' })).body).toMatchObject({
      code: 'insufficient_scope',
    });
  });
});

describe('what holds an agent', () => {
  it('is not loosened by the key that calls tools: no policy, price, pin or upstream is removed or changed', async () => {
    const upstream = await startFakeUpstream('transfer');
    try {
      await operator.post('/v1/proxy/upstreams', { name: 'bank', url: upstream.url });
      await operator.put('/v1/proxy/upstreams/bank/tools/transfer/price', { price_usd: 1 });
      const { body } = await operator.post('/v1/proxy/policies', { type: 'block_tool', tool: 'nothing' });
      const key = await agentKey();
      const policy = `/v1/proxy/policies/${String(body['id'])}`;
      const replies = [
        await key.delete(policy),
        await key.patch(policy, { mode: 'log_only' }),
        await key.delete('/v1/proxy/upstreams/bank/tools/transfer/price'),
        await key.post('/v1/proxy/upstreams/bank/tools/transfer/accept', { fingerprint: '0'.repeat(64) }),
        await key.post('/v1/proxy/upstreams', { name: 'bank', url: upstream.url }),
      ];
      expect(replies.map(({ status, body: { code } }) => [status, code])).toEqual(
        replies.map(() => [403, 'agent_key_not_allowed']),
      );
      const session = await key.session({});
      const call = { session_id: session, tool: 'bank.transfer', arguments: {} };
      expect((await key.post('/v1/proxy/call', call)).status).toBe(200);
      await operator.delete('/v1/proxy/upstreams/bank');
    } finally {
      await upstream.stop();
    }
  });

  it('is not loosened by reading: no secret without a session, no list of sessions, no rule removed, no own request approved', async () => {
    await operator.post('/v1/secrets', { name: 'root', value: 'correct horse', scope_required: 'admin' });
    const { body: rule } = await operator.post('/v1/approvals/rules', { type: 'spend_over', threshold: 1_000_000 });
    const { body: flag } = await operator.post('/v1/audit/rules', { type: 'high_cost', max_usd: 1_000_000 });
    const key = await agentKey();
    const session = await key.session({});
    const asked = { session_id: session, tool: 't', action: 'a', reason: 'r' };
    const request = String((await key.post('/v1/approvals/request', asked)).body['request_id']);
    const replies = [
      await key.get('/v1/secrets/root'),
      await key.get('/v1/sessions'),
      await key.delete(`/v1/approvals/rules/${String(rule['id'])}`),
      await key.delete(`/v1/audit/rules/${String(flag['id'])}`),
      await key.post(`/v1/approvals/${request}/approve`),
    ];
    expect(replies.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect((await key.get(`/v1/approvals/${request}`)).body).toMatchObject({ status: 'pending' });
  });
});

describe('sessions of an agent key', () => {
  it.each([
    ['agent_id', { agent_id: 'other' }],
    ['scopes', { scopes: ['execute', 'admin'] }],
    ['scopes', { scopes: ['read:x', 'write'] }],
    ['ttl', { ttl: 601 }],
    ['spend_limit', { spend_limit: 5.01 }],
    ['spend_limit', { scopes: ['spend:6'] }],
  ])('are no more than its ceiling: a 403 names %s', async (field, wanted) => {
    const key = await agentKey();
    const { status, body } = await key.post('/v1/sessions', { agent_id: 'agent', ...wanted });
    expect([status, body]).toMatchObject([403, { code: 'beyond_ceiling', field }]);
  });

  it('have by default what the ceiling has', async () => {
    const key = await agentKey({ ttl: 60 });
    const { body } = await key.post('/v1/sessions', { agent_id: 'agent' });
    expect(body).toMatchObject({ scopes: ['execute', 'read', 'spend'], ttl: 60, spend_limit: null });
    expect((await key.post('/v1/sessions', { agent_id: 'agent', scopes: ['read:x'], spend_limit: 5 })).status).toBe(
      201,
    );
  });

  it('do what session and ceiling both allow, whoever opened them', async () => {
    const key = await agentKey({ scopes: ['read'], spend_limit: 0 });
    const wide = await operator.session({ scopes: ['admin'], spend_limit: 100 });
    const check = async (scope: string): Promise<unknown> =>
      (await key.post(`/v1/sessions/${wide}/check`, { scope })).body['allowed'];
    expect([await check('read'), await check('read:x'), await check('execute'), await check('admin')]).toEqual([
      ...[true, true, false, false],
    ]);
    await operator.post('/v1/secrets', { name: 'root', value: 'correct horse', scope_required: 'write' });
    const read = { 'x-session-id': wide };
    expect((await key.get('/v1/secrets/root', read)).status).toBe(403);
    expect((await operator.get('/v1/secrets/root', read)).status).toBe(200);
    const pay = { session_id: wide, amount: 0.01 };
    expect((await key.post('/v1/payments/authorize', pay)).body).toMatchObject({ authorized: false });
    expect((await operator.post('/v1/payments/authorize', pay)).body).toMatchObject({ authorized: true });
  });

  it('are its own agent’s: another’s id answers as an unknown one does, wherever it is named', async () => {
    const key = await agentKey({ scopes: ['admin'], spend_limit: 100 });
    const other = await operator.session({ agent_id: 'other', scopes: ['admin'], spend_limit: 50 });
    const unknown = `ses_${'0'.repeat(36)}`;
    await operator.post('/v1/secrets', { name: 'shared', value: 'battery staple', scope_required: 'read' });
    const ask = async (id: string): Promise<unknown[]> => {
      const replies = await Promise.all([
        key.get(`/v1/sessions/${id}`),
        key.delete(`/v1/sessions/${id}`),
        key.post(`/v1/sessions/${id}/check`, { scope: 'read' }),
        key.get('/v1/secrets/shared', { 'x-session-id': id }),
        key.get(`/v1/secrets/shared?session_id=${id}`),
        key.get('/v1/secrets/shared/versions/1', { 'x-session-id': id }),
        key.post('/v1/payments/authorize', { session_id: id, amount: 1 }),
        key.post('/v1/payments/hold', { session_id: id, amount: 1 }),
        key.post('/v1/audit', { session_id: id, tool: 't', action: 'a' }),
        key.post('/v1/approvals/request', { session_id: id, tool: 't', action: 'a', reason: 'r' }),
        key.post('/v1/proxy/call', { session_id: id, tool: 'up.echo', arguments: {} }),
        key.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }, mcpHeaders(id)),
      ]);
      return replies.map(({ status, body }) => [
        status,
        JSON.parse(
          JSON.stringify({ ...body, request_id: null })
            .replaceAll(id, 'ID')
            .replace(/"request_id":"[^"]*"/g, '"":""'),
        ),
      ]);
    };
    expect(await ask(other)).toEqual(await ask(unknown));
    expect((await operator.get(`/v1/sessions/${other}`)).body).toMatchObject({ is_valid: true, spent: 0 });
  });

  it('reads no secret without one', async () => {
    const key = await agentKey({ scopes: ['admin'] });
    await operator.post('/v1/secrets', { name: 'bare', value: 'battery staple', scope_required: 'read' });
    for (const path of ['/v1/secrets/bare', '/v1/secrets/bare/versions/1', '/v1/secrets/nothing'])
      expect((await key.get(path)).body).toMatchObject({ code: 'session_required' });
    const id = await key.session({});
    expect((await key.get('/v1/secrets/bare', { 'x-session-id': id })).body).toMatchObject({ value: 'battery staple' });
  });

  it('can be read and ended by it, and that stops nobody', async () => {
    const key = await agentKey();
    const id = await key.session({});
    expect((await key.get(`/v1/sessions/${id}`)).body).toMatchObject({ session_id: id, is_valid: true });
    expect((await key.delete(`/v1/sessions/${id}`)).status).toBe(200);
    expect((await key.get(`/v1/sessions/${id}`)).status).toBe(404);
    expect((await key.post('/v1/sessions', { agent_id: 'agent' })).status).toBe(201);
  });
});

describe('an agent whose session somebody else has ended', () => {
  it('is stopped on every process, with whatever session and key, until it is let go on', async () => {
    const key = await agentKey({ agent_id: 'stopped' });
    const [one, two] = [await key.session({ agent_id: 'stopped' }), await key.session({ agent_id: 'stopped' })];
    const there = key.at(world.apis[1] as AppProcess);
    expect((await operator.delete(`/v1/sessions/${one}`)).status).toBe(200);
    expect((await there.post('/v1/sessions', { agent_id: 'stopped' })).body).toMatchObject({ code: 'agent_frozen' });
    expect((await there.get(`/v1/sessions/${two}`)).status).toBe(404);
    expect((await there.post('/v1/payments/authorize', { session_id: two, amount: 1 })).status).toBe(401);
    expect((await operator.post('/v1/sessions', { agent_id: 'stopped' })).body).toMatchObject({ code: 'agent_frozen' });
    expect((await entriesOf('agent_frozen')).map(({ agent_id, details }) => [agent_id, details])).toEqual([
      ['stopped', { reason: 'session_revoked', by: prefixOf(operator) }],
    ]);
    expect(await world.sql(`SELECT agent_id, reason FROM agent_freeze WHERE agent_id = 'stopped'`)).toHaveLength(1);
    await world.sql(`DELETE FROM agent_freeze WHERE agent_id = 'stopped'`);
    expect((await there.get(`/v1/sessions/${two}`)).body).toMatchObject({ is_valid: true });
  });

  it('goes on if no agent key had opened the session, as before there were any', async () => {
    const id = await operator.session({ agent_id: 'free' });
    expect((await operator.delete(`/v1/sessions/${id}`)).status).toBe(200);
    expect((await operator.post('/v1/sessions', { agent_id: 'free' })).status).toBe(201);
  });
});

describe('the budget of an agent key', () => {
  const pay = (client: Client, session: string, amount: number): Promise<boolean> =>
    client
      .post('/v1/payments/authorize', { session_id: session, amount })
      .then(({ body }) => body['authorized'] === true);

  it('is one for all its sessions, however many race for it over two processes', async () => {
    const key = await agentKey({ spend_limit: 10 });
    const clients = world.apis.map((api) => key.at(api));
    const sessions = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (clients[i % 2] as Client).session({ spend_limit: 10 })),
    );
    const outcomes = await Promise.all(sessions.map((id, i) => pay(clients[i % 2] as Client, id, 0.8)));
    expect(outcomes.filter(Boolean)).toHaveLength(12);
    const again = await key.post('/v1/payments/authorize', { session_id: await key.session({}), amount: 0.8 });
    expect(again.body).toMatchObject({ authorized: false, remaining_budget: 0.4 });
    expect(String(again.body['reason'])).toMatch(/standing budget/);
    expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
  });

  it('counts what is held, gives back what is set free, and leaves captures to the agent that holds', async () => {
    const key = await agentKey({ spend_limit: 10 });
    const id = await key.session({});
    const hold = async (amount: number): Promise<Json> =>
      (await key.post('/v1/payments/hold', { session_id: id, amount })).body;
    const [first, second] = [await hold(6), await hold(3)];
    expect([first, second]).toMatchObject([{ authorized: true }, { authorized: true }]);
    expect(await pay(key, await key.session({}), 2)).toBe(false);
    const stranger = await agentKey({ agent_id: 'stranger' });
    const capture = `/v1/payments/${String(first['authorization_id'])}/capture`;
    expect((await stranger.post(capture, { amount: 1 })).status).toBe(404);
    expect((await key.post(capture, { amount: 1 })).status).toBe(200);
    expect((await key.post(`/v1/payments/${String(second['authorization_id'])}/void`)).status).toBe(200);
    expect([await pay(key, id, 9.01), await pay(key, id, 9)]).toEqual([false, true]);
    expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
  });

  it('binds whoever acts: the key in a session that others opened, and others in its sessions', async () => {
    const key = await agentKey({ spend_limit: 4 });
    const [own, theirs] = [await key.session({}), await operator.session({ scopes: ['spend'] })];
    expect([await pay(key, theirs, 3), await pay(key, own, 2), await pay(operator, own, 2)]).toEqual([
      ...[true, false, false],
    ]);
    expect([await pay(operator, own, 1), await pay(operator, theirs, 2), await pay(key, theirs, 0.5)]).toEqual([
      ...[true, true, false],
    ]);
    expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
  });

  it('begins anew with its period: a day, a month, or never', async () => {
    const usage = async (key: Client): Promise<string[]> =>
      (await world.sql<{ period: string }>(`SELECT period FROM budget_usage WHERE subject = $1`, [prefixOf(key)])).map(
        ({ period }) => period,
      );
    const today = new Date().toISOString();
    for (const [period, expected] of [
      ['day', today.slice(0, 10)],
      ['month', today.slice(0, 7)],
      ['total', 'total'],
    ]) {
      const key = await agentKey({ spend_period: period });
      expect(await pay(key, await key.session({}), 5)).toBe(true);
      expect(await usage(key)).toEqual([expected]);
      await world.sql(`UPDATE budget_usage SET period = '2020-01-01' WHERE subject = $1`, [prefixOf(key)]);
      await world.sql(`UPDATE payment SET drawn_on = ARRAY[$1 || ' 2020-01-01'] WHERE drawn_on[1] LIKE $1 || '%'`, [
        prefixOf(key),
      ]);
      expect(await pay(key, await key.session({}), 5)).toBe(true);
    }
  });

  it('is announced at 50, 80 and 100 percent', async () => {
    const key = await agentKey({ spend_limit: 10 });
    for (const amount of [5, 3, 2]) expect(await pay(key, await key.session({}), amount)).toBe(true);
    const events = await world.sql<{ data: Json }>(
      `SELECT data FROM outbox WHERE type = 'budget_threshold' AND data->>'key' = $1 ORDER BY id`,
      [prefixOf(key)],
    );
    expect(events.map(({ data }) => [data['scope'], data['threshold'], data['agent_id'], data['limit']])).toEqual([
      ...[
        ['key', 50, 'agent', 10],
        ['key', 80, 'agent', 10],
        ['key', 100, 'agent', 10],
      ],
    ]);
  });

  it('pays for calls of priced tools, in whatever session', async () => {
    const upstream = await startFakeUpstream('echo');
    try {
      await operator.post('/v1/proxy/upstreams', { name: 'priced', url: upstream.url });
      await operator.put('/v1/proxy/upstreams/priced/tools/echo/price', { price_usd: 2 });
      const key = await agentKey({ spend_limit: 5 });
      const call = async (): Promise<number> =>
        (await key.post('/v1/proxy/call', { session_id: await key.session({}), tool: 'priced.echo', arguments: {} }))
          .status;
      expect([await call(), await call(), await call()]).toEqual([200, 200, 403]);
      const elsewhere = await agentKey({ upstreams: ['other'] });
      const session = await elsewhere.session({});
      expect(
        (await elsewhere.post('/v1/proxy/call', { session_id: session, tool: 'priced.echo', arguments: {} })).status,
      ).toBe(404);
    } finally {
      await upstream.stop();
    }
  });
});

function mcpHeaders(session: string): Record<string, string> {
  return {
    'x-session-id': session,
    'mcp-protocol-version': '2025-06-18',
    accept: 'application/json, text/event-stream',
  };
}
