import {
  byStatus,
  type CallResult,
  type FakeUpstream,
  saying,
  Scenario,
  sharedWorld,
  times,
  type World,
} from '@haldir/test-support';

let world: World;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo', 'transfer', 'tidy', 'get_sum']);
});
afterEach(() => scenario.end());

const rule = async (type: string, parameters: Record<string, unknown> = {}): Promise<string> => {
  const { body } = await scenario.tenant.post<{ id: string }>('/v1/approvals/rules', { type, ...parameters });
  return body.id;
};
/** The id of the request that the call waits for; null when it was let through. */
const heldAs = async (...args: Parameters<Scenario['call']>): Promise<string | null> => {
  const before = scenario.up.calls.length;
  const reply = await scenario.call(...args);
  expect(reply.status).toBe(200);
  if (scenario.up.calls.length > before) return null;
  const said = saying(reply);
  expect(said).toEqual({
    status: 'approval_required',
    request_id: expect.stringMatching(/^apr_/),
    reason: expect.any(String),
    notified: 'pending',
    message: expect.any(String),
  });
  return String(said['request_id']);
};
const approve = async (id: string | null): Promise<void> => {
  expect((await scenario.tenant.post(`/v1/approvals/${id}/approve`, { decided_by: 'dana' })).status).toBe(200);
};

describe('a call that needs approval', () => {
  it('waits, is let through once after approval, and then waits again', async () => {
    await rule('all');
    const id = await heldAs('echo', { n: 1 });
    expect(id).not.toBeNull();
    expect(await heldAs('up.echo', { n: 1 }, { by: scenario.there })).toBe(id);
    expect((await scenario.tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({
      status: 'pending',
      agent_id: 'agent',
      tool: 'up.echo',
      action: 'tool_call',
      details: JSON.stringify({ upstream: 'up', tool: 'echo', arguments: { n: 1 } }),
    });
    expect(scenario.up.calls).toEqual([]);

    await approve(id);
    expect(await heldAs('echo', { n: 1 }, { by: scenario.there })).toBeNull();
    const next = await heldAs('echo', { n: 1 });
    expect(next).not.toBeNull();
    expect(next).not.toBe(id);
    expect(scenario.up.calls).toEqual([{ tool: 'echo', arguments: { n: 1 } }]);
  });

  it('is that call alone: another argument, tool or session is another request', async () => {
    await rule('all');
    const id = await heldAs('echo', { to: 'dana', amount: 5 });
    await approve(id);
    const others = [
      await heldAs('echo', { to: 'dana', amount: 5.01 }),
      await heldAs('echo', { to: 'dana', amount: '5' }),
      await heldAs('echo', { to: 'dana' }),
      await heldAs('echo', { to: 'dana', amount: 5, more: null }),
      await heldAs('tidy', { to: 'dana', amount: 5 }),
      await heldAs(
        'echo',
        { to: 'dana', amount: 5 },
        { session: await scenario.tenant.session({ scopes: ['execute'] }) },
      ),
    ];
    expect(new Set([id, null, ...others]).size).toBe(8);
    // Members of an object have no order.
    expect(await heldAs('up.echo', { amount: 5, to: 'dana' })).toBeNull();
    expect(scenario.up.calls).toHaveLength(1);
  });

  it('uses one approval once, however many retries race over two processes', async () => {
    await rule('all');
    await approve(await heldAs('echo', { n: 1 }));
    const replies = await times(20, (i) =>
      scenario.call('echo', { n: 1 }, { by: i % 2 ? scenario.tenant : scenario.there }),
    );
    expect(byStatus(replies)).toEqual({ 200: 20 });
    expect(scenario.up.calls).toHaveLength(1);
    const requests = replies
      .filter(({ body }) => body.content[0]?.text !== 'echo')
      .map((reply) => saying(reply)['request_id']);
    expect(requests).toHaveLength(19);
    expect(new Set(requests).size).toBe(1);
  });

  it('stays held after a denial, and makes a new request', async () => {
    await rule('all');
    const id = await heldAs('echo');
    expect((await scenario.tenant.post(`/v1/approvals/${id}/deny`)).status).toBe(200);
    expect(await heldAs('echo')).not.toBe(id);
    expect(scenario.up.calls).toEqual([]);
  });

  it('goes to the upstream it was approved for, not to another that took its name', async () => {
    await rule('all');
    await approve(await heldAs('echo'));
    const other = await scenario.upstream('up', 'echo');
    expect(saying(await scenario.call('echo'))).toMatchObject({ status: 'approval_required' });
    expect([...scenario.up.calls, ...other.calls]).toEqual([]);
  });

  it('is asked about anew once its tool has another price, which nobody approved', async () => {
    await rule('all');
    const session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 100 });
    const id = await heldAs('echo', { n: 1 }, { session });
    await approve(id);
    const price = await scenario.tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: 50 });
    expect(price.status).toBe(200);
    const next = await heldAs('echo', { n: 1 }, { session });
    expect(next).not.toBeNull();
    expect(next).not.toBe(id);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0 });
  });

  it('is asked about anew once its upstream is called with other credentials', async () => {
    await rule('all');
    const register = (token: string): Promise<unknown> =>
      scenario.tenant.post('/v1/proxy/upstreams', { name: 'up', url: scenario.up.url, headers: { 'x-token': token } });
    await register('the-token-of-an-account');
    const id = await heldAs('echo', { n: 1 });
    await approve(id);
    await register('the-token-of-another-account');
    const next = await heldAs('echo', { n: 1 });
    expect(next).not.toBeNull();
    expect(next).not.toBe(id);
  });

  it('is asked about only when policies let it through, and counts under a rate limit only when it goes', async () => {
    await rule('all');
    const blocked = await scenario.policy('block_tool', { tool: 'tidy' });
    expect((await scenario.call('tidy')).status).toBe(403);
    await scenario.tenant.delete(`/v1/proxy/policies/${blocked}`);
    expect((await scenario.tenant.get('/v1/approvals/pending')).body).toMatchObject({ count: 0 });

    await scenario.policy('rate_limit', { max_per_minute: 1 });
    const ids = [await heldAs('echo', { n: 1 }), await heldAs('echo', { n: 2 })];
    for (const id of ids) await approve(id);
    const replies = await times(10, (i) =>
      scenario.call('echo', { n: 1 + (i % 2) }, { by: i % 3 ? scenario.tenant : scenario.there }),
    );
    expect(scenario.up.calls).toHaveLength(1);
    expect(byStatus(replies)).toEqual({ 200: 1, 403: 9 });
    // The approval that found no room is still there.
    const { requests } = (
      await scenario.tenant.get<{ requests: { request_id: string; status: string }[] }>('/v1/approvals?status=approved')
    ).body;
    expect(requests).toHaveLength(2);
  });
});

describe('the rules at the proxy', () => {
  it('spend_over: the amount argument over the threshold', async () => {
    await rule('spend_over', { threshold: 100 });
    expect(await heldAs('transfer', { amount: 100 })).toBeNull();
    expect(await heldAs('transfer')).toBeNull();
    const id = await heldAs('transfer', { amount: 100.0000001 });
    expect(id).not.toBeNull();
    expect((await scenario.tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ amount: 100.000001 });
    expect(await heldAs('transfer', { amount: '250' })).not.toBeNull();
    expect(await heldAs('transfer', { amount: 1e300 })).not.toBeNull();
  });

  it.each(['echo', 'up.echo'])('tool_blocked: %s, however it is called', async (name) => {
    await rule('tool_blocked', { tools: [name] });
    expect(await heldAs('echo')).not.toBeNull();
    expect(await heldAs('up.echo', { n: 1 })).not.toBeNull();
    expect(await heldAs('tidy')).toBeNull();
  });

  it('destructive: by name, or by the annotation of the upstream', async () => {
    scenario.up.tools = scenario.up.tools.map((tool) =>
      tool.name === 'tidy' ? { ...tool, annotations: { destructiveHint: true } } : tool,
    );
    expect((await scenario.register('up', scenario.up.url)).body).toMatchObject({ tools_discovered: 4 });
    await rule('destructive');
    expect(await heldAs('transfer')).not.toBeNull();
    expect(await heldAs('tidy')).not.toBeNull();
    expect(await heldAs('get_sum')).toBeNull();
    expect(await heldAs('echo')).toBeNull();
  });

  it('count from their making to their removal on every process', async () => {
    const id = await rule('all');
    expect(await heldAs('echo', {}, { by: scenario.there })).not.toBeNull();
    await scenario.tenant.delete(`/v1/approvals/rules/${id}`);
    expect(await heldAs('echo', {}, { by: scenario.there })).toBeNull();
  });

  it('let no stranger decide', async () => {
    await rule('all');
    const id = await heldAs('echo');
    const stranger = await world.newTenant();
    expect((await stranger.post<CallResult>(`/v1/approvals/${id}/approve`)).status).toBe(404);
    expect(await heldAs('echo')).toBe(id);
  });
});

describe('a call that nobody could be shown whole', () => {
  const hiding = { text: '\u200b'.repeat(300_000) };

  it('is refused where it needs approval, and nobody is asked', async () => {
    await rule('tool_blocked', { tools: ['echo'] });
    const reply = await scenario.call('echo', hiding);
    expect([reply.status, reply.body]).toMatchObject([403, { code: 'details_too_long', isError: true }]);
    expect(saying(reply)).toMatchObject({ blocked_by: 'haldir', code: 'details_too_long' });
    expect((await scenario.tenant.get('/v1/approvals')).body).toMatchObject({ count: 0 });
    expect(scenario.up.calls).toEqual([]);
    const { body } = await scenario.tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit');
    const entry = body.entries.find(({ action }) => action === 'tool_call_blocked');
    expect(JSON.parse(entry?.details ?? '{}')).toMatchObject({ decision: 'blocked', code: 'details_too_long' });
  });

  it('is made where it needs none', async () => {
    expect((await scenario.call('echo', hiding)).status).toBe(200);
    expect(scenario.up.calls).toEqual([{ tool: 'echo', arguments: hiding }]);
  });
});
