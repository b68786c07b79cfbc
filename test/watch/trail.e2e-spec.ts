import { setTimeout as pause } from 'node:timers/promises';
import { type AppProcess, type Client, sharedWorld, startWorker, times, type World } from '@haldir/test-support';
import { type Entry, type Json, own, type Page, trail } from './trail.js';

let world: World;
let there: AppProcess;
beforeAll(async () => {
  world = await sharedWorld();
  there = world.apis[1] as AppProcess;
});

describe('the trail', () => {
  it('takes actions, and answers newest first in pages that hold each entry once', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    for (let i = 0; i < 7; i++) {
      const logged = await tenant.post('/v1/audit', {
        session_id: session,
        action: `step ${i}`,
        tool: 'browser',
        cost_usd: 0.000001,
      });
      expect(logged.status).toBe(201);
      expect(logged.body).toEqual({
        logged: true,
        entry_id: expect.stringMatching(/^aud_/),
        flagged: false,
        flag_reason: null,
      });
    }
    const seen: Entry[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await trail(
        tenant,
        `?session_id=${session}&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.entries);
      cursor = page.next_cursor;
    }
    expect(seen.map(({ action }) => action)).toEqual([
      ...[6, 5, 4, 3, 2, 1, 0].map((i) => `step ${i}`),
      'session_created',
    ]);
    expect(seen[0]).toMatchObject({
      session_id: session,
      agent_id: 'agent',
      tool: 'browser',
      cost_usd: 0.000001,
      details: null,
    });
    expect(Math.abs(Number(seen[0]?.['timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    for (const [i, entry] of seen.slice(0, -1).entries()) expect(entry.prev_hash).toBe(seen[i + 1]?.entry_hash);
  });

  it('filters by session, agent, tool, flag and time, together', async () => {
    const tenant = await world.newTenant();
    const one = await tenant.session({ agent_id: 'one' });
    const two = await tenant.session({ agent_id: 'two' });
    const log = (session_id: string, tool: string, cost_usd = 0) =>
      tenant.post('/v1/audit', { session_id, action: 'act', tool, cost_usd, details: { nested: [1] } });
    await log(one, 'browser');
    await log(one, 'shell', 101);
    await log(two, 'shell');
    expect(own(await trail(tenant, '?agent_id=one'))).toHaveLength(2);
    expect(own(await trail(tenant, '?tool=shell'))).toHaveLength(2);
    expect(own(await trail(tenant, `?tool=shell&session_id=${two}`))).toHaveLength(1);
    const [flagged, ...others] = (await trail(tenant, '?flagged=true')).entries;
    expect(others).toEqual([]);
    expect(flagged).toMatchObject({
      tool: 'shell',
      flagged: true,
      flag_reason: 'high_cost: one action over 100 USD',
      details: '{"nested":[1]}',
    });
    expect(own(await trail(tenant, '?flagged=false&agent_id=one'))).toHaveLength(1);

    const at = Number(flagged?.['timestamp']);
    expect((await trail(tenant, `?since=${at}&until=${at}`)).entries.map(({ entry_id }) => entry_id)).toContain(
      flagged?.entry_id,
    );
    expect((await trail(tenant, `?until=${at - 3600}`)).count).toBe(0);
    expect((await trail(tenant, `?since=${new Date(Date.now() + 3_600_000).toISOString()}`)).count).toBe(0);
    expect((await trail(tenant, `?since=${new Date(Date.now() - 3_600_000).toISOString()}`)).count).toBeGreaterThan(3);
  });

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=ten', 'limit'],
    ['?flagged=yes', 'flagged'],
    ['?since=yesterday', 'since'],
    ['?until=2026-13-45', 'until'],
    ['?cursor=AAAA', 'cursor'],
    ['/export?format=xml', 'format'],
    ['/consistency-proof?first=0&second=1', 'first'],
    ['/consistency-proof?second=1', 'first'],
  ])('refuses %s, naming %s', async (query, field) => {
    const { status, body } = await world.operator.get(`/v1/audit${query}`);
    expect([status, String(body['error']).split(':')[0]]).toEqual([400, field]);
  });

  it.each([
    [{ action: '' }, 'action'],
    [{ action: null }, 'action'],
    [{ cost_usd: -1 }, 'cost_usd'],
    [{ cost_usd: '1' }, 'cost_usd'],
    [{ details: 5 }, 'details'],
    [{ tool: ['x'] }, 'tool'],
    [{ session_id: 7 }, 'session_id'],
  ])('refuses the action %j, naming %s', async (fault, field) => {
    const { status, body } = await world.operator.post('/v1/audit', { session_id: 'ses_x', action: 'a', ...fault });
    expect([status, String(body['error']).split(':')[0]]).toEqual([400, field]);
  });

  it('takes nothing from a dead session, another tenant or a key without the scope', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const stranger = await world.newTenant();
    expect((await stranger.post('/v1/audit', { session_id: session, action: 'a' })).status).toBe(401);
    expect((await trail(stranger, `?session_id=${session}`)).count).toBe(0);
    await tenant.delete(`/v1/sessions/${session}`);
    expect((await tenant.post('/v1/audit', { session_id: session, action: 'a' })).status).toBe(401);
    const cursor = (await trail(tenant, '?limit=1')).next_cursor;
    expect((await stranger.get(`/v1/audit?limit=1&cursor=${cursor}`)).status).toBe(400);
    expect((await tenant.get(`/v1/audit?limit=1&tool=x&cursor=${cursor}`)).status).toBe(400);
  });

  it('has one entry for 20 retries under one Idempotency-Key, and for one after the session has ended', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const body = { session_id: session, action: 'once', cost_usd: 500 };
    const replies = await times(20, (i) =>
      (i % 2 ? tenant : tenant.at(there)).post('/v1/audit', body, { 'idempotency-key': 'k' }),
    );
    expect(new Set(replies.map((reply) => JSON.stringify([reply.status, reply.body]))).size).toBe(1);
    expect(replies[0]?.body).toMatchObject({ flagged: true });
    await tenant.delete(`/v1/sessions/${session}`);
    const late = await tenant.post('/v1/audit', body, { 'idempotency-key': 'k' });
    expect([late.status, late.body]).toEqual([replies[0]?.status, replies[0]?.body]);
    expect((await tenant.post('/v1/audit', body, { 'idempotency-key': 'k2' })).status).toBe(401);
    expect(own(await trail(tenant))).toHaveLength(1);
  });
});

describe('flags', () => {
  const log = async (client: Client, session_id: string, more: Json = {}): Promise<Json> =>
    (await client.post('/v1/audit', { session_id, action: 'act', ...more })).body;

  it('mark exactly the actions beyond 60 of an agent in a minute, over two processes', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session({ agent_id: 'busy' });
    const answers = await times(70, (i) => log(i % 2 ? tenant : tenant.at(there), session));
    expect(answers.filter(({ flagged }) => flagged)).toHaveLength(10);
    expect(answers.find(({ flagged }) => flagged)?.['flag_reason']).toMatch(/^rapid_fire/);
    const calm = await tenant.session({ agent_id: 'calm' });
    expect(await log(tenant, calm)).toMatchObject({ flagged: false });
  });

  it('mark a tool never used in 20 tool calls before, and that tool only once', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    for (let i = 0; i < 20; i++)
      expect(await log(tenant, session, { tool: 'browser' })).toMatchObject({ flagged: false });
    expect((await log(tenant, session, { tool: 'shell' }))['flag_reason']).toMatch(/^unusual_tool/);
    expect(await log(tenant, session, { tool: 'shell' })).toMatchObject({ flagged: false });
  });

  it('follow the tenant’s own rules, and nobody else’s', async () => {
    const tenant = await world.newTenant();
    const stranger = await world.newTenant();
    const rules = (await tenant.get<{ rules: Json[] }>('/v1/audit/rules')).body.rules;
    expect(rules.map(({ type }) => type).sort()).toEqual(['high_cost', 'rapid_fire', 'unusual_tool']);
    const set = await tenant.post('/v1/audit/rules', { type: 'high_cost', max_usd: 1.5 });
    expect([set.status, set.body]).toEqual([201, { added: true, type: 'high_cost', id: expect.any(String) }]);
    const session = await tenant.session();
    expect(await log(tenant.at(there), session, { cost_usd: 1.5 })).toMatchObject({ flagged: false });
    expect((await log(tenant.at(there), session, { cost_usd: 1.51 }))['flag_reason']).toBe(
      'high_cost: one action over 1.5 USD',
    );
    expect(await log(stranger, await stranger.session(), { cost_usd: 99 })).toMatchObject({ flagged: false });

    expect((await stranger.delete(`/v1/audit/rules/${String(set.body['id'])}`)).status).toBe(404);
    expect((await tenant.delete(`/v1/audit/rules/${String(set.body['id'])}`)).body).toMatchObject({ deleted: true });
    expect(await log(tenant, session, { cost_usd: 10_000 })).toMatchObject({ flagged: false });
    expect((await tenant.post('/v1/audit/rules', { type: 'rapid_fire', max_actions: 0 })).body['error']).toMatch(
      /^max_actions: /,
    );
    expect((await tenant.post('/v1/audit/rules', { type: 'sudden' })).body['error']).toMatch(/^type: /);
  });
});

describe('sums', () => {
  it('are exact whether a worker has added them up or not, by tool, agent and session', async () => {
    const tenant = await world.newTenant();
    const one = await tenant.session({ agent_id: 'one', scopes: ['spend:10'] });
    const two = await tenant.session({ agent_id: 'two' });
    const log = (session_id: string, tool: string, cost_usd: number) =>
      tenant.post('/v1/audit', { session_id, action: 'a', tool, cost_usd });
    // As many as a worker finds worth adding up.
    await times(2000, () => log(one, 'search', 0.0005));
    await log(two, 'shell', 2.000001);
    await tenant.post('/v1/payments/authorize', { session_id: one, amount: 3.5 });
    const read = async (query = ''): Promise<Json> => (await tenant.get(`/v1/audit/spend${query}`)).body;
    const check = async (): Promise<void> => {
      expect(await read()).toMatchObject({
        total_usd: 3.000001,
        by_tool: { search: 1, shell: 2.000001 },
        by_agent: { one: 4.5, two: 2.000001 },
        payments: { total_usd: 3.5, count: 1 },
      });
      expect(await read('?agent_id=one')).toMatchObject({
        total_usd: 1,
        by_agent: { one: 4.5 },
        payments: { count: 1 },
      });
      expect(await read(`?session_id=${two}`)).toMatchObject({ total_usd: 2.000001, payments: { count: 0 } });
      expect(await read(`?session_id=${two}&agent_id=one`)).toMatchObject({ total_usd: 0, action_count: 0 });
      const metrics = (await tenant.get('/v1/metrics')).body;
      expect(metrics).toMatchObject({
        total_api_keys: 1,
        total_sessions: 2,
        active_sessions: 2,
        unique_agents: 2,
        total_spend_usd: 3.000001,
        total_payments: 1,
        total_payment_volume_usd: 3.5,
        pending_approvals: 0,
      });
      expect(metrics['top_tools']).toMatchObject({ search: 2000, shell: 1 });
      expect(metrics['top_agents']).toMatchObject({ one: 2002, two: 2 });
      expect(metrics['actions_today']).toBe(metrics['total_actions']);
    };
    await check();
    const worker = await startWorker(world.environment);
    try {
      for (let moved = false; !moved; await pause(50)) {
        const marks = await world.sql('SELECT FROM audit_rollup_mark WHERE tenant_id = $1 AND seq >= 2000', [
          await world.tenantOf(tenant),
        ]);
        moved = marks.length > 0;
      }
      await check();
      await log(two, 'shell', 1);
      expect(await read()).toMatchObject({ total_usd: 4.000001, by_tool: { shell: 3.000001 } });
    } finally {
      await worker.stop();
    }
  });

  it('count the requests of a month, and know no other month', async () => {
    const tenant = await world.newTenant({ tier: 'pro' });
    for (let i = 0; i < 5; i++) await tenant.get('/v1/sessions');
    let usage: Json = {};
    for (let i = 0; i < 100 && Number(usage['action_count'] ?? 0) < 5; i++) {
      await pause(100);
      usage = (await tenant.get('/v1/usage')).body;
    }
    expect(usage).toMatchObject({ month: new Date().toISOString().slice(0, 7), tier: 'pro' });
    expect((await tenant.get('/v1/usage?month=2020-01')).body).toMatchObject({ month: '2020-01', action_count: 0 });
    for (const month of ['2020-13', '2020-1', 'now', '']) {
      expect((await tenant.get(`/v1/usage?month=${month}`)).status).toBe(400);
    }
  });
});

describe('the log', () => {
  it('signs a head over everything, at most a second later with a worker, each continuing the one before', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const worker = await startWorker(world.environment);
    try {
      for (let round = 0; round < 3; round++) {
        await tenant.post('/v1/audit', { session_id: session, action: 'a' });
        await pause(1000);
      }
      const { checkpoints } = (await tenant.get<{ checkpoints: Json[] }>('/v1/audit/checkpoints')).body;
      expect(checkpoints.length).toBeGreaterThanOrEqual(3);
      expect(checkpoints[0]?.['tree_size']).toBe((await trail(tenant)).count);
      const head = (await tenant.get('/v1/audit/tree-head')).body;
      expect(head).toEqual(checkpoints[0]);
      expect((await tenant.get<string>('/v1/audit/checkpoint')).body).toBe(head['checkpoint']);
      const metrics = await (await fetch(`${worker.url}/metrics`)).text();
      expect(metrics).toMatch(/^haldir_checkpoint_lag_seconds\{process="worker"\} 0$/m);
    } finally {
      await worker.stop();
    }
  });
});
