import {
  byStatus,
  type CallResult,
  type FakeUpstream,
  type Reply,
  saying,
  Scenario,
  sharedWorld,
  times,
  type World,
} from '@haldir/test-support';

interface Explanation {
  policy_id: string;
  policy: string;
  reason: string;
  remedy: Record<string, unknown>;
}
interface Entry {
  tool: string;
  action: string;
  details: string;
}
type Refused = CallResult & { explanation?: Explanation[] };

let world: World;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo', 'pay', 'delete_file']);
});
afterEach(() => scenario.end());

const change = (id: string, terms: Record<string, unknown>): Promise<Reply> =>
  scenario.tenant.patch(`/v1/proxy/policies/${id}`, terms);
/** The details of the newest entries of calls. */
async function logged(limit = 1): Promise<Record<string, unknown>[]> {
  const { body } = await scenario.tenant.get<{ entries: Entry[] }>('/v1/audit?limit=100');
  return body.entries
    .filter(({ tool }) => !tool.startsWith('haldir'))
    .slice(0, limit)
    .map(({ details }) => JSON.parse(details) as Record<string, unknown>);
}

describe('a policy in log_only mode', () => {
  it('refuses nothing, and the log says what it would have done', async () => {
    const block = await scenario.policy('block_tool', { tool: 'echo', mode: 'log_only' });
    const limit = await scenario.policy('spend_limit', { max: 5, mode: 'log_only' });
    const approve = await scenario.policy('require_approval', { mode: 'log_only', scope: { tools: ['*.delete_*'] } });
    expect(await scenario.statusOf('echo', { amount: 6 })).toBe(200);
    expect(await logged()).toMatchObject([
      {
        decision: 'allowed',
        would_block: [
          { policy_id: block, type: 'block_tool', reason: 'The tool is blocked' },
          { policy_id: limit, type: 'spend_limit', reason: expect.stringContaining('5 USD') },
        ],
      },
    ]);
    expect((await logged())[0]).not.toHaveProperty('would_hold');
    expect(await scenario.statusOf('delete_file')).toBe(200);
    expect(await logged()).toMatchObject([{ would_hold: [{ policy_id: approve }] }]);
    expect(scenario.up.calls).toHaveLength(2);
    expect((await scenario.tenant.get('/v1/approvals/pending')).body).toMatchObject({ count: 0 });
  });

  it('of a rate counts what it would have let through, and takes no place of those that are enforced', async () => {
    const logOnly = await scenario.policy('rate_limit', { max_per_minute: 3, mode: 'log_only' });
    await scenario.policy('rate_limit', { max_per_minute: 8 });
    const replies = await times(20, (i) =>
      scenario.call('echo', { i }, { by: i % 2 ? scenario.tenant : scenario.there }),
    );
    expect(byStatus(replies)).toEqual({ 200: 8, 403: 12 });
    const entries = await logged(20);
    const allowed = entries.filter(({ decision }) => decision === 'allowed');
    expect(allowed.filter((entry) => !('would_block' in entry))).toHaveLength(3);
    for (const { would_block: would } of allowed.filter((entry) => 'would_block' in entry))
      expect(would).toMatchObject([{ policy_id: logOnly, type: 'rate_limit' }]);
  });

  it('is switched on where it stands, on every process, and off again', async () => {
    const id = await scenario.policy('block_tool', { tool: 'echo', mode: 'log_only' });
    expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(200);
    expect((await change(id, { mode: 'enforce' })).body).toMatchObject({ id, mode: 'enforce', tool: 'echo' });
    expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(403);
    await change(id, { scope: { agents: ['somebody else'] } });
    expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(200);
    await change(id, { scope: {}, priority: 7 });
    expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(403);
    await change(id, { mode: 'log_only' });
    expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(200);
    expect((await scenario.tenant.get('/v1/proxy/policies')).body).toMatchObject({
      policies: [{ id, mode: 'log_only', priority: 7, scope: { upstreams: [], agents: [], tools: [] } }],
    });
    const { body } = await scenario.tenant.get<{ entries: Entry[] }>('/v1/audit?tool=haldir.proxy');
    const changes = body.entries.filter(({ action }) => action === 'policy_changed');
    expect(changes).toHaveLength(4);
    expect(JSON.parse(changes[3]?.details ?? '')).toMatchObject({
      ...{ policy_id: id, type: 'block_tool', mode: 'enforce', before: { mode: 'log_only' } },
      by: expect.stringMatching(/^hld_/),
    });
  });

  it('is changed by nobody else, and not to nonsense', async () => {
    const id = await scenario.policy('block_tool', { tool: 'echo' });
    const stranger = await world.newTenant();
    expect((await stranger.patch(`/v1/proxy/policies/${id}`, { mode: 'log_only' })).status).toBe(404);
    expect((await change('pol_unknown', { mode: 'log_only' })).status).toBe(404);
    const wrong: [Record<string, unknown>, string][] = [
      [{ mode: 'off' }, 'mode'],
      [{ priority: 1.5 }, 'priority'],
      [{ priority: 1001 }, 'priority'],
      [{ scope: { tools: 'echo' } }, 'scope.tools'],
      [{ scope: { agents: [''] } }, 'scope.agents'],
      [{ scope: { upstreams: Array(101).fill('a') } }, 'scope.upstreams'],
    ];
    for (const [body, field] of wrong) {
      for (const reply of [
        await change(id, body),
        await scenario.tenant.post('/v1/proxy/policies', { type: 'require_approval', ...body }),
      ])
        expect([reply.status, reply.body['error']]).toEqual([400, expect.stringContaining(field)]);
    }
    expect(await scenario.statusOf('echo')).toBe(403);
  });
});

describe('a policy with a scope', () => {
  it('is about the upstreams, agents and tools that its patterns mean', async () => {
    await scenario.upstream('prod-eu', 'echo', 'delete_user');
    const robot = await scenario.tenant.session({ agent_id: 'robot-7', scopes: ['execute'] });
    const as = async (tool: string, session = scenario.session): Promise<number> => (await scenario.call(tool, {}, { session })).status;
    const id = await scenario.policy('allow_list', { tools: [], scope: { upstreams: ['prod-*'], agents: ['robot-*'], tools: ['*.delete_*'] } });
    expect([await as('delete_user'), await as('delete_user', robot), await as('prod-eu.echo', robot), await as('delete_file', robot)]).toEqual([200, 403, 200, 200]);
    await change(id, { scope: { agents: ['robot-*'] } });
    expect([await as('up.echo'), await as('up.echo', robot)]).toEqual([200, 403]);
    await change(id, { scope: { upstreams: ['up'] } });
    expect([await as('up.echo'), await as('prod-eu.echo'), await as('up.nothing')]).toEqual([403, 200, 403]);
  }); // prettier-ignore

  it('counts only calls within it towards its rate', async () => {
    await scenario.policy('rate_limit', { max_per_minute: 2, scope: { tools: ['pay'] } });
    expect(byStatus(await times(5, () => scenario.call('echo')))).toEqual({ 200: 5 });
    expect(
      byStatus(await times(5, (i) => scenario.call('pay', {}, { by: i % 2 ? scenario.tenant : scenario.there }))),
    ).toEqual({
      200: 2,
      403: 3,
    });
  });
});

describe('a policy that requires approval', () => {
  it('holds a call as an approval rule does, and lets it through once when it is approved', async () => {
    const id = await scenario.policy('require_approval', { scope: { tools: ['pay'] } });
    await scenario.policy('rate_limit', { max_per_minute: 1 });
    const held = await scenario.call('pay', { n: 1 });
    expect([held.status, saying(held)]).toMatchObject([200, { status: 'approval_required' }]);
    const request = String(saying(held)['request_id']);
    expect(saying(await scenario.call('pay', { n: 1 }, { by: scenario.there }))['request_id']).toBe(request);
    expect(scenario.up.calls).toHaveLength(0);
    expect((await scenario.tenant.post(`/v1/approvals/${request}/approve`)).status).toBe(200);
    await times(6, (i) => scenario.call('pay', { n: 1 }, { by: i % 2 ? scenario.tenant : scenario.there }));
    expect(scenario.up.calls).toHaveLength(1);
    const { body } = await scenario.tenant.get<{ entries: Entry[] }>('/v1/audit?tool=haldir.approvals');
    const asked = body.entries.find(({ action }) => action === 'approval_requested');
    expect(JSON.parse(asked?.details ?? '')).toMatchObject({ rule_id: id, rule: 'require_approval' });
    expect(await logged(9)).toContainEqual(expect.objectContaining({ decision: 'allowed', approval: request }));
  });
});

describe('a refusal', () => {
  it('names the policy of the highest priority, and explains what every one of them would need', async () => {
    const list = await scenario.policy('deny_list', { tools: ['pay', 'up.pay', 'x'] });
    const limit = await scenario.policy('spend_limit', { max: 5, priority: 10 });
    const rate = await scenario.policy('rate_limit', { max_per_minute: 0, priority: -1 });
    await scenario.policy('block_tool', { tool: 'pay', mode: 'log_only', priority: 1000 });
    const refused = (await scenario.call('pay', { amount: 12.5 })) as Reply<Refused>;
    expect(refused.status).toBe(403);
    expect(saying(refused)).toMatchObject({ policy_id: limit, policy: 'spend_limit', blocked_by: 'haldir' });
    expect(refused.body.explanation).toEqual([
      {
        ...{ policy_id: limit, policy: 'spend_limit', reason: expect.stringContaining('over the limit of 5 USD') },
        remedy: { policy_id: limit, change: 'raise', field: 'max', to: 12.5, text: expect.any(String) },
      },
      {
        ...{ policy_id: list, policy: 'deny_list', reason: expect.any(String) },
        remedy: { policy_id: list, change: 'remove_tool', tools: ['pay', 'up.pay'], text: expect.any(String) },
      },
      {
        ...{ policy_id: rate, policy: 'rate_limit', reason: expect.any(String) },
        remedy: { policy_id: rate, change: 'raise', field: 'max_per_minute', to: 1, text: expect.any(String) },
      },
    ]);
    expect(saying(refused)['explanation']).toEqual(refused.body.explanation);
    expect(await logged()).toMatchObject([{ policy_id: limit, explanation: refused.body.explanation, amount: 12.5 }]);
  });

  it('is gone after the changes that it names', async () => {
    await scenario.policy('allow_list', { tools: ['echo'] });
    await scenario.policy('spend_limit', { max: 5 });
    await scenario.policy('deny_list', { tools: ['up.pay'] });
    const { body } = (await scenario.call('pay', { amount: 7 })) as Reply<Refused>;
    expect(body.explanation).toHaveLength(3);
    for (const { policy_id: id, policy, remedy } of body.explanation ?? []) {
      await scenario.tenant.delete(`/v1/proxy/policies/${id}`);
      if (remedy['change'] === 'add_tool') await scenario.policy(policy, { tools: ['echo', remedy['tool']] });
      if (remedy['change'] === 'raise') await scenario.policy(policy, { max: remedy['to'] });
    }
    expect([await scenario.statusOf('pay', { amount: 7 }), await scenario.statusOf('pay', { amount: 8 })]).toEqual([
      200, 403,
    ]);
  });

  it('for a rate says when there is a place again', async () => {
    await scenario.policy('rate_limit', { max_per_minute: 1 });
    const before = Date.now() / 1000;
    expect(await scenario.statusOf('echo')).toBe(200);
    const after = Date.now() / 1000;
    const { body } = (await scenario.call('echo')) as Reply<Refused>;
    const until = Number(body.explanation?.[0]?.remedy['until']);
    expect(until).toBeGreaterThanOrEqual(before + 60);
    expect(until).toBeLessThanOrEqual(after + 60);
  });
});
