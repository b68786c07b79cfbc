import { byStatus, type FakeUpstream, saying, Scenario, sharedWorld, times, type World } from '@haldir/test-support';

let world: World;
let scenario: Scenario<FakeUpstream>;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo', 'pay', 'files.read']);
});
afterEach(() => scenario.end());

describe('a policy', () => {
  it('that blocks a call says so, names itself, and keeps the call from the upstream', async () => {
    const id = await scenario.policy('block_tool', { tool: 'echo' });
    const blocked = await scenario.call('echo');
    expect(blocked.status).toBe(403);
    expect(blocked.body.isError).toBe(true);
    expect(saying(blocked)).toEqual({
      error: expect.any(String),
      blocked_by: 'haldir',
      policy_id: id,
      policy: 'block_tool',
      explanation: [
        {
          ...{ policy_id: id, policy: 'block_tool', reason: 'The tool is blocked' },
          remedy: { policy_id: id, change: 'remove_policy', text: expect.any(String) },
        },
      ],
    });
    expect(scenario.up.calls).toEqual([]);
  });

  it('counts from its making on, and no longer after its removal, on every process', async () => {
    for (let i = 0; i < 10; i++) {
      const id = await scenario.policy('block_tool', { tool: 'echo' });
      expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(403);
      expect((await scenario.tenant.delete(`/v1/proxy/policies/${id}`)).body).toEqual({ deleted: true, id });
      expect(await scenario.statusOf('echo', {}, scenario.there)).toBe(200);
    }
    expect((await scenario.tenant.delete('/v1/proxy/policies/pol_unknown')).status).toBe(404);
  });

  it.each([['block_tool'], ['deny_list']])('of type %s means a tool however it is called', async (type) => {
    for (const name of ['echo', 'up.echo']) {
      const id = await scenario.policy(type, type === 'block_tool' ? { tool: name } : { tools: ['other', name] });
      expect([
        await scenario.statusOf('echo'),
        await scenario.statusOf('up.echo'),
        await scenario.statusOf('pay'),
      ]).toEqual([403, 403, 200]);
      await scenario.tenant.delete(`/v1/proxy/policies/${id}`);
    }
    await scenario.policy(
      type,
      type === 'block_tool' ? { tool: 'other.echo' } : { tools: ['ech', 'other.echo', 'up'] },
    );
    expect([await scenario.statusOf('echo'), await scenario.statusOf('up.echo')]).toEqual([200, 200]);
  });

  it('of type allow_list lets through what it lists by either name, and nothing else', async () => {
    await scenario.policy('allow_list', { tools: ['echo', 'up.files.read'] });
    expect(
      await times(6, (i) =>
        scenario.statusOf(['echo', 'up.echo', 'files.read', 'up.files.read', 'pay', 'up.pay'][i] ?? ''),
      ),
    ).toEqual([200, 200, 200, 200, 403, 403]);
    expect(await scenario.statusOf('unheard_of')).toBe(403);
  });

  it('of type spend_limit refuses amounts over it, as numbers or as texts of numbers', async () => {
    await scenario.policy('spend_limit', { max: 9.99 });
    const amounts = [0, 9.99, -5, '9.99', null, 9.990001, 10, '10', ' 1e3 ', 1e15];
    expect(await times(amounts.length, (i) => scenario.statusOf('pay', { amount: amounts[i] }))).toEqual([
      ...Array<number>(5).fill(200),
      ...Array<number>(5).fill(403),
    ]);
    expect(await scenario.statusOf('pay', { total: 100 })).toBe(200);
  });

  it('of type time_window lets calls through in its hours only, also past midnight', async () => {
    // Not at the turn of an hour.
    if (new Date().getUTCMinutes() === 59 && new Date().getUTCSeconds() > 50)
      await new Promise((go) => setTimeout(go, 11_000));
    const hour = new Date().getUTCHours();
    const windows: [start: number, end: number, expected: number][] = [
      [0, 24, 200],
      [hour, hour + 1, 200],
      [hour + 1, hour, 403],
      [hour, (hour + 23) % 24, 200],
      [(hour + 1) % 24, (hour + 2) % 24, 403],
      [(hour + 22) % 24, (hour + 1) % 24, 200],
      [(hour + 2) % 24, (hour + 1) % 24, 200],
      [hour, hour, 403],
    ];
    for (const [start, end, expected] of windows) {
      const id = await scenario.policy('time_window', { start_hour: start, end_hour: end });
      expect([start, end, await scenario.statusOf('echo')]).toEqual([start, end, expected]);
      await scenario.tenant.delete(`/v1/proxy/policies/${id}`);
    }
  });

  it('holds together with all others', async () => {
    await scenario.policy('spend_limit', { max: 10 });
    await scenario.policy('deny_list', { tools: ['echo'] });
    await scenario.policy('allow_list', { tools: ['pay', 'echo'] });
    expect([
      await scenario.statusOf('pay', { amount: 10 }),
      await scenario.statusOf('pay', { amount: 11 }),
      await scenario.statusOf('echo'),
      await scenario.statusOf('files.read'),
    ]).toEqual([200, 403, 403, 403]);
  });
});

describe('a rate limit', () => {
  it('of 5 lets exactly 5 of 20 concurrent calls over two processes through', async () => {
    const id = await scenario.policy('rate_limit', { max_per_minute: 5 });
    const replies = await times(20, (i) =>
      scenario.call('echo', { i }, { by: i % 2 ? scenario.tenant : scenario.there }),
    );
    expect(byStatus(replies)).toEqual({ 200: 5, 403: 15 });
    expect(scenario.up.calls).toHaveLength(5);
    const blocked = replies.filter(({ status }) => status === 403).map((reply) => saying(reply));
    for (const reason of blocked) expect(reason).toMatchObject({ policy_id: id, policy: 'rate_limit' });
  });

  it('is as exact where the agent has called before', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await scenario.policy('rate_limit', { max_per_minute: 5 });
      expect(await scenario.statusOf('echo')).toBe(200);
      const replies = await times(20, (i) =>
        scenario.call('echo', {}, { by: i % 2 ? scenario.tenant : scenario.there }),
      );
      expect(byStatus(replies)).toEqual({ 200: 4, 403: 16 });
      await scenario.tenant.delete(`/v1/proxy/policies/${id}`);
    }
  });

  it('of several, each counts only calls that all of them let through', async () => {
    await scenario.policy('rate_limit', { max_per_minute: 8 });
    const small = await scenario.policy('rate_limit', { max_per_minute: 3 });
    expect(
      byStatus(await times(12, (i) => scenario.call('echo', {}, { by: i % 2 ? scenario.tenant : scenario.there }))),
    ).toEqual({
      200: 3,
      403: 9,
    });
    await scenario.tenant.delete(`/v1/proxy/policies/${small}`);
    expect(byStatus(await times(12, () => scenario.call('echo')))).toEqual({ 200: 5, 403: 7 });
  });

  it('does not count calls that something else blocks, nor unknown tools', async () => {
    await scenario.policy('rate_limit', { max_per_minute: 4 });
    await scenario.policy('block_tool', { tool: 'pay' });
    await times(10, () => scenario.call('pay'));
    await times(10, () => scenario.call('nothing'));
    expect(byStatus(await times(6, () => scenario.call('echo')))).toEqual({ 200: 4, 403: 2 });
  });

  it('is of each agent, over all its sessions', async () => {
    await scenario.policy('rate_limit', { max_per_minute: 2 });
    const again = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'] });
    const other = await scenario.tenant.session({ agent_id: 'another agent', scopes: ['execute'] });
    expect(await scenario.statusOf('echo')).toBe(200);
    expect(byStatus(await times(4, () => scenario.call('echo', {}, { session: again })))).toEqual({ 200: 1, 403: 3 });
    expect(byStatus(await times(4, () => scenario.call('echo', {}, { session: other })))).toEqual({ 200: 2, 403: 2 });
  });

  it('of 0 lets nothing through', async () => {
    await scenario.policy('rate_limit', { max_per_minute: 0 });
    expect(await scenario.statusOf('echo')).toBe(403);
  });
});

describe('policies', () => {
  it('are listed with their ids, types and parameters, in pages', async () => {
    const wanted = [
      { type: 'block_tool', tool: 'echo' },
      { type: 'allow_list', tools: ['echo', 'up.pay'] },
      { type: 'deny_list', tools: [] },
      { type: 'spend_limit', max: 12.5 },
      { type: 'rate_limit', max_per_minute: 60 },
      { type: 'time_window', start_hour: 22, end_hour: 6 },
      { type: 'require_approval' },
      {
        ...{ type: 'spend_limit', max: 5, mode: 'log_only', priority: -3 },
        scope: { upstreams: ['prod-*'], agents: [], tools: ['*.pay'] },
      },
    ];
    const ids: string[] = [];
    for (const { type, ...parameters } of wanted) ids.push(await scenario.policy(type, parameters));
    interface Page {
      policies: unknown[];
      count: number;
      next_cursor: string | null;
    }
    const { body } = await scenario.tenant.get<Page>('/v1/proxy/policies');
    expect(body.count).toBe(8);
    const terms = { mode: 'enforce', priority: 0, scope: { upstreams: [], agents: [], tools: [] } };
    expect(body.policies).toEqual(wanted.map((policy, i) => ({ id: ids[i], ...terms, ...policy })));
    const first = (await scenario.tenant.get<Page>('/v1/proxy/policies?limit=4')).body;
    const second = (await scenario.tenant.get<Page>(`/v1/proxy/policies?limit=4&cursor=${first.next_cursor}`)).body;
    expect([...first.policies, ...second.policies]).toEqual(body.policies);
    expect(second.next_cursor).toBeNull();
    expect((await scenario.there.get('/v1/proxy/upstreams')).body).toMatchObject({ policies: 8 });
  });

  it.each([
    [{}, 'type'],
    [{ type: 'block_everything' }, 'type'],
    [{ type: 'block_tool' }, 'tool'],
    [{ type: 'block_tool', tool: '' }, 'tool'],
    [{ type: 'block_tool', tool: ['echo'] }, 'tool'],
    [{ type: 'allow_list' }, 'tools'],
    [{ type: 'allow_list', tools: 'echo' }, 'tools'],
    [{ type: 'deny_list', tool: 'echo' }, 'tools'],
    [{ type: 'deny_list', tools: ['echo', 7] }, 'tools'],
    [{ type: 'spend_limit' }, 'max'],
    [{ type: 'spend_limit', max: -1 }, 'max'],
    [{ type: 'spend_limit', max: '5' }, 'max'],
    [{ type: 'rate_limit', max: 5 }, 'max_per_minute'],
    [{ type: 'rate_limit', max_per_minute: 1.5 }, 'max_per_minute'],
    [{ type: 'rate_limit', max_per_minute: -1 }, 'max_per_minute'],
    [{ type: 'rate_limit', max_per_minute: '5' }, 'max_per_minute'],
    [{ type: 'time_window', start_hour: 1 }, 'end_hour'],
    [{ type: 'time_window', end_hour: 1 }, 'start_hour'],
    [{ type: 'time_window', start_hour: 0, end_hour: 25 }, 'end_hour'],
    [{ type: 'time_window', start_hour: 0.5, end_hour: 2 }, 'start_hour'],
    [{ type: 'require_approval', tool: 'echo' }, 'tool'],
    [{ type: 'require_approval', tools: ['echo'] }, 'tools'],
  ])('like %j are refused, naming %s', async (body, field) => {
    const reply = await scenario.tenant.post('/v1/proxy/policies', body);
    expect([reply.status, reply.body['error']]).toEqual([400, expect.stringMatching(new RegExp(`^${field}[:.]`))]);
    expect((await scenario.tenant.get('/v1/proxy/policies')).body).toMatchObject({ count: 0 });
  });

  it('leave a trace in the log when they are added and removed', async () => {
    const id = await scenario.policy('spend_limit', { max: 3 });
    await scenario.tenant.delete(`/v1/proxy/policies/${id}`);
    const { entries } = (
      await scenario.tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?tool=haldir.proxy')
    ).body;
    expect(entries.map(({ action, details }) => [action, JSON.parse(details)])).toMatchObject([
      ['policy_removed', { policy_id: id, type: 'spend_limit', by: expect.stringMatching(/^hld_/) }],
      ['policy_added', { policy_id: id, type: 'spend_limit', max: 3, by: expect.stringMatching(/^hld_/) }],
      ['upstream_registered', { upstream: 'up', healthy: true, tools: 3 }],
    ]);
  });
});
