import { setTimeout as pause } from 'node:timers/promises';
import { type Client, eventually, startWorld, type World } from '@haldir/test-support';
import { type Json } from './api-document.js';
import { ContractClient } from './contract-client.js';

const long = (length: number): string => 'x'.repeat(length);
const now = (): number => Date.now() / 1000;

let world: World;
let tenant: Client;
let api: ContractClient;
let dead: string[];
beforeAll(async () => {
  world = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } });
  tenant = await world.newTenant();
  api = new ContractClient(tenant);
  const revoked = await tenant.session();
  await api.call('revokeSession', { path: { session_id: revoked } });
  dead = [revoked, 'ses_unknown', 'x'];
});
afterAll(() => world.stop());

describe('logAction', () => {
  it('writes an entry that the trail answers as it was told', async () => {
    const session_id = await tenant.session({ agent_id: 'logger' });
    const told = { session_id, tool: 'browser ü', action: 'open', details: 'a "page"', cost_usd: 0.000001 };
    const logged = await api.call<{ entry_id: string }>('logAction', { body: told });
    expect(logged.status).toBe(201);
    expect(logged.body).toMatchObject({ logged: true, flagged: false, flag_reason: null });

    const { body } = await api.call<{ entries: Json[] }>('getAuditTrail', { query: { session_id, tool: told.tool } });
    expect(body.entries).toHaveLength(1);
    expect(body.entries[0]).toMatchObject({ ...told, ...{ entry_id: logged.body.entry_id, agent_id: 'logger' } });
    expect(body.entries[0]).toMatchObject({ prev_hash: expect.any(String), entry_hash: expect.any(String) });
    expect(Math.abs(Number(body.entries[0]?.['timestamp']) - now())).toBeLessThan(5);
  });

  it('fills in what was left out, and keeps an object as its JSON text', async () => {
    const session_id = await tenant.session({ agent_id: 'terse' });
    await api.call('logAction', { body: { session_id, action: 'bare' } });
    await api.call('logAction', { body: { session_id, action: 'object', details: { b: [1, 'ü'], a: null } } });
    const { entries } = (await api.call<{ entries: Json[] }>('getAuditTrail', { query: { session_id } })).body;
    const byAction = Object.fromEntries(entries.map((entry) => [String(entry['action']), entry]));
    expect(byAction['bare']).toMatchObject({ tool: '', details: null, cost_usd: 0 });
    expect(JSON.parse(String(byAction['object']?.['details']))).toEqual({ b: [1, 'ü'], a: null });
  });

  it('asks for a live session of the tenant, and names what is wrong', async () => {
    for (const session_id of dead) {
      expect((await api.call('logAction', { body: { session_id, action: 'a' } })).status).toBe(401);
    }
    const body = { session_id: await tenant.session(), action: 'a' };
    await api.refuses(
      'logAction',
      { body },
      {
        session_id: [undefined, 1, null],
        action: [undefined, '', 1, null, {}],
        tool: [1, null, ['t']],
        details: [1, true],
        cost_usd: [-1, -0.000001, '1', null, 1e308],
      },
    );
  });
});

describe('getAuditTrail', () => {
  it('answers newest first what every filter lets through', async () => {
    const own = await world.newTenant();
    const watcher = api.as(own);
    const session_id = await own.session({ agent_id: 'a' });
    for (const [tool, cost_usd] of [
      ['x', 0],
      ['y', 101],
      ['x', 102],
    ] as const) {
      await watcher.call('logAction', { body: { session_id, action: `use ${tool}`, tool, cost_usd } });
    }
    const ask = async (query: Json): Promise<string[]> => {
      const { body } = await watcher.call<{ count: number; entries: Json[] }>('getAuditTrail', { query });
      expect(body.count).toBe(body.entries.length);
      return body.entries.map(({ tool, cost_usd }) => `${String(tool)} ${String(cost_usd)}`);
    };
    expect(await ask({ session_id, tool: 'x' })).toEqual(['x 102', 'x 0']);
    expect(await ask({ session_id, flagged: 'true' })).toEqual(['x 102', 'y 101']);
    expect(await ask({ session_id, flagged: 'false', tool: 'x' })).toEqual(['x 0']);
    expect(await ask({ session_id, limit: 1 })).toEqual(['x 102']);
    expect(await ask({ agent_id: 'nobody' })).toEqual([]);
    expect(await ask({ session_id: 'ses_unknown' })).toEqual([]);
    expect(await ask({ session_id, until: 1 })).toEqual([]);
    expect(await ask({ session_id, tool: 'x', since: '2020-01-01T00:00:00Z' })).toEqual(['x 102', 'x 0']);
    expect((await ask({})).length).toBeGreaterThanOrEqual(5);
  });

  it('holds what Haldir itself has to tell, without a session or with it', async () => {
    const own = await world.newTenant();
    const session_id = await own.session({ agent_id: 'a', spend_limit: 1 });
    await own.post('/v1/secrets', { name: 'n', value: 'v' });
    await own.get('/v1/secrets/n', { 'x-session-id': session_id });
    await own.post('/v1/payments/authorize', { session_id, amount: 2 });
    await own.delete(`/v1/sessions/${session_id}`);
    const { entries } = (await api.as(own).call<{ entries: Json[] }>('getAuditTrail')).body;
    const told = entries.map((entry) => [
      String(entry['tool']).replace(/\..*/, ''),
      entry['session_id'],
      entry['cost_usd'],
    ]);
    expect(told.filter(([tool]) => tool !== 'haldir')).toEqual([]);
    expect(told.filter(([, session]) => session === session_id).length).toBeGreaterThanOrEqual(3);
    expect(told.filter(([, session]) => session === '').length).toBeGreaterThanOrEqual(1);
  });

  it('names what is wrong', async () => {
    await api.refuses(
      'getAuditTrail',
      { query: {} },
      {
        flagged: ['yes', '1', 'TRUE', ''],
        limit: [0, -1, 1001, 'ten', 1.5, '', '1e2', ' 5'],
        since: ['yesterday', 'NaN'],
        until: ['2020-13-01'],
        cursor: ['nonsense', 'AAAA'],
      },
    );
    expect((await api.call('getAuditTrail', { query: { limit: 1000 } })).status).toBe(200);
  });
});

it('getSpend sums costs by tool and agent, and payments apart', async () => {
  const own = await world.newTenant();
  const session_id = await own.session({ agent_id: 'a', spend_limit: 10 });
  const other = await own.session({ agent_id: 'b' });
  await own.post('/v1/audit', { session_id, tool: 'x', action: 'a', cost_usd: 0.1 });
  await own.post('/v1/audit', { session_id, tool: 'x', action: 'a', cost_usd: 0.2 });
  await own.post('/v1/audit', { session_id: other, tool: 'y', action: 'a', cost_usd: 1.000001 });
  await own.post('/v1/payments/authorize', { session_id, amount: 2.5 });
  const ask = async (query: Json): Promise<Json> => (await api.as(own).call('getSpend', { query })).body;
  expect(await ask({})).toMatchObject({
    total_usd: 1.300001,
    by_tool: { x: 0.3, y: 1.000001 },
    by_agent: { a: 2.8, b: 1.000001 },
    payments: { total_usd: 2.5, count: 1 },
  });
  expect(await ask({ agent_id: 'a' })).toMatchObject({ total_usd: 0.3, by_tool: { x: 0.3 } });
  expect(await ask({ session_id: other })).toMatchObject({ total_usd: 1.000001, payments: { total_usd: 0, count: 0 } });
  expect(await ask({ session_id: other, agent_id: 'a' })).toMatchObject({ total_usd: 0, action_count: 0, by_tool: {} });
});

it('getUsage counts the requests of a month, and knows no month that is none', async () => {
  const own = await world.newTenant();
  for (let i = 0; i < 7; i++) await own.get('/v1/secrets');
  const month = new Date().toISOString().slice(0, 7);
  await eventually(
    async () => {
      const { body } = await api.as(own).call<{ action_count: number }>('getUsage');
      expect(body).toMatchObject({ month, tier: 'enterprise' });
      expect(body.action_count).toBeGreaterThanOrEqual(7);
    },
    2500,
    200,
  );
  expect((await api.call('getUsage', { query: { month: '2001-02' } })).body).toMatchObject({
    month: '2001-02',
    action_count: 0,
  });
  await api.refuses(
    'getUsage',
    { query: {} },
    { month: ['2026-13', '2026-00', '2026', '2026-1', '26-01', 'now', '', '2026-01-01'] },
  );
});

it('getMetrics counts what the tenant has, and nothing of anybody else', async () => {
  const own = await world.newTenant();
  const nobody = (await api.as(await world.newTenant()).call('getMetrics')).body;
  expect(nobody).toMatchObject({
    total_api_keys: 1,
    total_sessions: 0,
    total_secrets: 0,
    total_payments: 0,
    total_approvals: 0,
  });
  const session_id = await own.session({ agent_id: 'a', spend_limit: 10 });
  await own.post('/v1/secrets', { name: 'n', value: 'v' });
  await own.post('/v1/payments/authorize', { session_id, amount: 2.5 });
  await own.post('/v1/audit', { session_id, tool: 'x', action: 'a', cost_usd: 101 });
  await own.post('/v1/approvals/request', { session_id });
  const { body } = await api.as(own).call('getMetrics');
  expect(body).toMatchObject({
    total_api_keys: 1,
    total_sessions: 1,
    active_sessions: 1,
    unique_agents: 1,
    flagged_actions: 1,
    total_spend_usd: 101,
    total_secrets: 1,
    total_payments: 1,
    total_payment_volume_usd: 2.5,
    pending_approvals: 1,
    total_approvals: 1,
  });
  expect(body['top_tools']).toMatchObject({ x: 1 });
});

describe('addApprovalRule', () => {
  it.each([
    { type: 'all' },
    { type: 'destructive' },
    { type: 'spend_over' },
    { type: 'spend_over', threshold: 0.5, tools: null },
    { type: 'tool_blocked', tools: ['mail', 'up.mail'] },
  ])('takes %j', async (rule) => {
    const { status, body } = await api.as(await world.newTenant()).call('addApprovalRule', { body: rule });
    expect(status).toBe(201);
    expect(body).toMatchObject({ added: true, type: rule.type });
  });

  it('names what is wrong', async () => {
    await api.refuses(
      'addApprovalRule',
      { body: { type: 'spend_over' } },
      {
        type: [undefined, 'sometimes', '', 1, null, ['all']],
        threshold: [-1, '5', null, true, 1e308],
      },
    );
    await api.refuses(
      'addApprovalRule',
      { body: { type: 'tool_blocked', tools: ['a'] } },
      {
        tools: [undefined, null, [], 'a', [1], [null], {}],
      },
    );
  });
});

describe('an approval', () => {
  const request = async (details: Json = {}): Promise<Record<string, string>> => {
    const body = { session_id: await tenant.session({ agent_id: 'asker' }), ...details };
    return { request_id: (await api.call<{ request_id: string }>('requestApproval', { body })).body.request_id };
  };

  it.each([
    ['approveRequest', 'approved'],
    ['denyRequest', 'denied'],
  ] as const)('is pending until %s, once', async (decide, status) => {
    const asked = { tool: 'mail', action: 'send', amount: 12.5, reason: 'Newsletter', details: 'to all' };
    const session_id = await tenant.session({ agent_id: 'asker' });
    const made = await api.call<{ request_id: string; expires_at: number }>('requestApproval', {
      body: { ...asked, session_id, ttl: 60 },
    });
    expect([made.status, made.body]).toMatchObject([201, { status: 'pending' }]);
    expect(Math.abs(made.body.expires_at - now() - 60)).toBeLessThan(5);

    const path = { request_id: made.body.request_id };
    const { details: _, ...shown } = { ...path, ...asked, agent_id: 'asker' };
    const undecided = { decided_by: null, decision_note: null };
    expect((await api.call('checkApproval', { path })).body).toMatchObject({
      ...shown,
      ...undecided,
      status: 'pending',
    });
    const pending = await api.call<{ requests: Json[] }>('listPendingApprovals', { query: { agent_id: 'asker' } });
    expect(pending.body.requests).toContainEqual(expect.objectContaining(shown));

    const decided = await api.call(decide, { path, body: { decided_by: 'dana', note: 'seen ✓' } });
    expect([decided.status, decided.body]).toEqual([200, { [status]: true, ...path }]);
    const decision = { decided_by: 'dana', decision_note: 'seen ✓' };
    expect((await api.call('checkApproval', { path })).body).toMatchObject({ ...shown, ...decision, status });
    for (const again of ['approveRequest', 'denyRequest'])
      expect((await api.call(again, { path, body: {} })).status).toBe(400);
    expect((await api.call<{ requests: Json[] }>('listPendingApprovals')).body.requests).not.toContainEqual(
      expect.objectContaining(path),
    );
  });

  it.each([
    ['an absent body', undefined],
    ['an empty body', ''],
    ['an empty object', {}],
  ])('is decided by %s too', async (_, body) => {
    for (const decide of ['approveRequest', 'denyRequest']) {
      const headers = { 'content-type': 'application/json' };
      expect((await api.call(decide, { path: await request(), body, headers })).status).toBe(200);
    }
  });

  it('fills in what was left out', async () => {
    const path = await request();
    const empty = { tool: '', action: '', amount: 0, reason: '' };
    expect((await api.call('checkApproval', { path })).body).toMatchObject({ ...path, ...empty, status: 'pending' });
  });

  it('expires, and is then neither pending nor to be decided', async () => {
    const path = await request({ ttl: 1 });
    await pause(1100);
    expect((await api.call('checkApproval', { path })).body['status']).toBe('expired');
    expect((await api.call<{ requests: Json[] }>('listPendingApprovals')).body.requests).not.toContainEqual(
      expect.objectContaining(path),
    );
    expect((await api.call('approveRequest', { path, body: {} })).status).toBe(400);
    expect((await api.call('denyRequest', { path, body: {} })).status).toBe(400);
  });

  it('that is not there is neither shown nor decided', async () => {
    for (const request_id of ['apr_unknown', 'x', 'ü', long(300)]) {
      for (const id of ['checkApproval', 'approveRequest', 'denyRequest']) {
        const input = { path: { request_id }, ...(id !== 'checkApproval' && { body: {} }) };
        expect([id, (await api.call(id, input)).status]).toEqual([id, 404]);
      }
    }
  });

  it('asks for a live session of the tenant, and names what is wrong', async () => {
    for (const session_id of dead) {
      expect((await api.call('requestApproval', { body: { session_id } })).status).toBe(401);
    }
    await api.refuses(
      'requestApproval',
      { body: { session_id: await tenant.session() } },
      {
        session_id: [undefined, 1, null],
        tool: [1, null],
        action: [{}, null],
        amount: [-1, '1', null, 1e308],
        reason: [1, null],
        details: [1, true],
        ttl: [0, -1, 604_801, 1.5, '60', null],
      },
    );
    const path = await request();
    for (const decide of ['approveRequest', 'denyRequest']) {
      await api.refuses(decide, { path, body: {} }, { decided_by: [1, null, {}], note: [1, null, []] });
    }
  });
});

it('every documented answer of watch and approvals was seen, here or for every operation alike', () => {
  const unseen = api.unseen('watch', 'audit', 'approvals').filter((answer) => !/ (401|429)$/.test(answer));
  expect(unseen).toEqual([]);
});
