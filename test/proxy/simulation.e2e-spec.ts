import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { type Transactions } from '@haldir/database';
import { haldirActor } from '@haldir/kernel';
import {
  type AppProcess,
  type Client,
  type FakeUpstream,
  type Reply,
  startFakeUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';
import fc from 'fast-check';
import { Client as Postgres } from 'pg';

interface Simulated {
  calls: number;
  verdicts: Record<'allowed' | 'blocked' | 'held' | 'undecidable', number>;
  changes: number;
  changed: {
    entry_id: string;
    tool: string;
    agent_id: string;
    was: string;
    would_be: string;
    explanation?: Record<string, unknown>[];
    held_by?: string;
  }[];
  by_policy: Record<string, { type: string; mode: string; blocked: number; held: number }>;
  truncated: boolean;
}
type Body = Record<string, unknown>;

const LONG = 100_000;
const CALLS = 2_000;
const AGENTS = ['ann', 'bob', 'cy'];
const TOOLS = ['echo', 'pay', 'files.read', 'delete_file', 'nothing'];

let world: World;
let upstream: FakeUpstream;
let tenant: Client;
beforeAll(async () => {
  [world, upstream] = await Promise.all([
    startWorld({ processes: 2, environment: { HALDIR_TIER_LIMITS: 'free=0,pro=0,enterprise=0' } }),
    startFakeUpstream('echo', 'pay', 'files.read', 'delete_file'),
  ]);
});
beforeEach(async () => {
  tenant = await world.newTenant();
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
});
afterAll(async () => {
  await Promise.all([world.stop(), upstream.stop()]);
});

const at = (i: number): Client => tenant.at(world.apis[i % 2] as AppProcess);
const simulate = async (body: Body = {}): Promise<Simulated> => {
  const { status, body: answer } = await at(1).post<Simulated>('/v1/proxy/simulate', body);
  expect(status).toBe(200);
  return answer;
};
const addPolicy = async (body: Body): Promise<string> => {
  const { status, body: added } = await tenant.post('/v1/proxy/policies', body);
  expect(status).toBe(201);
  return String(added['id']);
};
const call = (i: number, session: string, tool: string, args: Body = {}): Promise<Reply> =>
  at(i).post('/v1/proxy/call', { session_id: session, tool, arguments: args });

const terms = fc.record(
  {
    mode: fc.constantFrom('enforce', 'enforce', 'log_only'),
    priority: fc.integer({ min: -2, max: 2 }),
    scope: fc.record(
      {
        upstreams: fc.constantFrom(['u*'], ['other']),
        agents: fc.constantFrom(['ann'], ['*n*', 'cy'], ['b*']),
        tools: fc.constantFrom(['pay'], ['up.*'], ['*file*']),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['scope'] },
);
const hour = fc.integer({ min: 0, max: 24 });
const rule = fc.oneof(
  fc.constantFrom(...TOOLS).map((tool) => ({ type: 'block_tool', tool: `up.${tool}` })),
  fc.constantFrom(['pay'], ['nothing', 'up.files.read']).map((tools) => ({ type: 'deny_list', tools })),
  fc.constantFrom(TOOLS, ['echo', 'up.pay', 'files.read']).map((tools) => ({ type: 'allow_list', tools })),
  fc.integer({ min: 30, max: 90 }).map((max) => ({ type: 'spend_limit', max: max / 10 })),
  fc.constantFrom(15, 60, 150, 610).map((max) => ({ type: 'rate_limit', max_per_minute: max })),
  fc.constantFrom(15, 60, 150).map((max) => ({ type: 'rate_limit', max_per_minute: max })),
  fc.tuple(hour, hour).map(([start, end]) => ({ type: 'time_window', start_hour: start, end_hour: end })),
  fc.constant({ type: 'require_approval' }),
);
/** Not so many that nothing gets through. */
const policySet = fc.array(
  fc.tuple(rule, terms).map(([one, more]): Body => ({ ...one, ...more })),
  { minLength: 6, maxLength: 9 },
);

describe('a simulation', () => {
  it('under the policies that stood decides a random stream of calls as they were decided', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    const [policies = []] = fc.sample(policySet, { numRuns: 1, seed });
    const calls = fc.sample(
      fc.record({
        agent: fc.nat(AGENTS.length - 1),
        tool: fc.constantFrom(...TOOLS),
        amount: fc.option(fc.integer({ min: 0, max: 100 })),
        process: fc.nat(1),
      }),
      { numRuns: CALLS, seed },
    );
    const sessions = await Promise.all(AGENTS.map((agent_id) => tenant.session({ agent_id, scopes: ['execute'] })));
    // One rate that is sure to be asked and one approval that is sure to be used, whatever chance brings.
    for (const policy of [{ type: 'rate_limit', max_per_minute: 120 }, { type: 'require_approval', scope: { agents: ['cy'], tools: ['echo'] } }, ...policies]) await addPolicy(policy); // prettier-ignore
    const were = { allowed: 0, blocked: 0, held: 0 };
    for (let from = 0; from < calls.length; from += 50) {
      const replies = await Promise.all(
        calls.slice(from, from + 50).map(({ agent, tool, amount, process: i }) =>
          call(i, sessions[agent] ?? '', tool, amount === null ? {} : { amount: amount / 10 }),
        ),
      );
      const held = new Set(replies.flatMap(({ body }) => /"request_id":"(apr_\w+)"/.exec(String((body['content'] as { text: string }[] | undefined)?.[0]?.text))?.[1] ?? [])); // prettier-ignore
      for (const { status, body } of replies) {
        const isHeld = JSON.stringify(body).includes('approval_required');
        were[isHeld ? 'held' : status === 200 ? 'allowed' : 'blocked']++;
      }
      for (const id of [...held].slice(0, 2)) await tenant.post(`/v1/approvals/${id}/approve`);
    }
    const { calls: count, verdicts, changes, changed } = await simulate();
    expect([seed, changes, changed]).toEqual([seed, 0, []]);
    expect([count, verdicts.undecidable]).toEqual([CALLS, 0]);
    expect([seed, verdicts]).toMatchObject([seed, were]);
    // And so does one of each agent alone.
    expect(await simulate({ agent_id: 'cy' })).toMatchObject({ changes: 0, truncated: false });
    // What was proposed and what stands is decided in the same way.
    const again = await simulate({ policies: [] });
    expect(again.verdicts.held).toBe(0);
    expect(again.changes).toBeGreaterThan(0);
  }, 180_000); // prettier-ignore

  it('of a proposed policy names the calls that it would change, and why', async () => {
    const session = await tenant.session({ agent_id: 'ann', scopes: ['execute'] });
    for (const amount of [1, 7, 3, 9]) expect((await call(0, session, 'pay', { amount })).status).toBe(200);
    await call(0, session, 'echo');
    const tried = await simulate({
      policies: [
        { type: 'spend_limit', max: 5 },
        { type: 'require_approval', scope: { tools: ['echo'] } },
        { type: 'rate_limit', max_per_minute: 1, mode: 'log_only' },
      ],
    });
    expect(tried).toMatchObject({
      ...{ calls: 5, changes: 3, truncated: false },
      verdicts: { allowed: 2, blocked: 2, held: 1, undecidable: 0 },
      by_policy: {
        proposed_1: { type: 'spend_limit', mode: 'enforce', blocked: 2, held: 0 },
        proposed_2: { type: 'require_approval', mode: 'enforce', blocked: 0, held: 1 },
        proposed_3: { type: 'rate_limit', mode: 'log_only', blocked: 4, held: 0 },
      },
    });
    expect(tried.changed).toMatchObject([
      {
        ...{ tool: 'up.pay', agent_id: 'ann', was: 'allowed', would_be: 'blocked' },
        explanation: [{ policy_id: 'proposed_1', remedy: { change: 'raise', to: 7 } }],
      },
      { would_be: 'blocked', explanation: [{ remedy: { to: 9 } }] },
      { tool: 'up.echo', was: 'allowed', would_be: 'held', held_by: 'proposed_2' },
    ]);
    // It decides nothing, and nobody else sees it.
    expect((await call(0, session, 'pay', { amount: 9 })).status).toBe(200);
    const stranger = await world.newTenant();
    expect((await stranger.post('/v1/proxy/simulate', {})).body).toMatchObject({ calls: 0 });
    expect(await simulate({ limit: 1, policies: [{ type: 'allow_list', tools: [] }] })).toMatchObject({ changes: 6, changed: { length: 1 } });
  }); // prettier-ignore

  it('does not guess at what was erased, and keeps to its time', async () => {
    const session = await tenant.session({ agent_id: 'ann', scopes: ['execute'] });
    await addPolicy({ type: 'rate_limit', max_per_minute: 2 });
    for (let i = 0; i < 3; i++) await call(i, session, 'echo');
    await new Promise((go) => setTimeout(go, 20));
    const middle = Date.now() / 1000;
    for (let i = 0; i < 2; i++) await call(i, session, 'echo');
    // The window is as full at the beginning as it was.
    expect(await simulate({ from: middle })).toMatchObject({ calls: 2, verdicts: { blocked: 2 }, changes: 0 });
    expect(await simulate({ to: middle })).toMatchObject({
      calls: 3,
      verdicts: { allowed: 2, blocked: 1 },
      changes: 0,
    });
    const { entries } = (await tenant.get<{ entries: { entry_id: string }[] }>('/v1/audit?tool=up.echo')).body;
    expect((await tenant.delete(`/v1/audit/${entries[0]?.entry_id}/details`)).status).toBe(200);
    expect((await simulate()).verdicts).toEqual({ allowed: 2, blocked: 2, held: 0, undecidable: 1 });
  });

  it.each([
    [{ policies: [{ type: 'block_tool' }] }, 'tool'],
    [{ policies: [{ type: 'spend_limit', max: -1 }] }, 'max'],
    [{ policies: {} }, 'policies'],
    [{ from: 'yesterday' }, 'from'],
    [{ limit: 1001 }, 'limit'],
    [{ agent_id: '' }, 'agent_id'],
  ])('of %j is refused, naming %s', async (body, field) => {
    const { status, body: answer } = await tenant.post('/v1/proxy/simulate', body);
    expect([status, answer['error']]).toEqual([400, expect.stringContaining(field)]);
  });

  it(`of ${LONG} calls is done in turns with others, who do not wait for all of it`, async () => {
    await fill(await world.tenantOf(tenant), LONG);
    const proposed = [
      { type: 'rate_limit', max_per_minute: 3 },
      { type: 'rate_limit', max_per_minute: 1000, mode: 'log_only' },
      { type: 'spend_limit', max: 90 },
      { type: 'time_window', start_hour: 6, end_hour: 22 },
      { type: 'deny_list', tools: ['tool-3', 'up.tool-5'] },
      { type: 'require_approval', scope: { agents: ['agent-1*'], tools: ['up.tool-1*'] } },
    ];
    let isOver = false;
    const simulated = simulate({ policies: proposed }).finally(() => (isOver = true));
    let answered = 0;
    for (; !(isOver as boolean); answered++) await at(1).get('/livez');
    const { calls, verdicts } = await simulated;
    // Where others wait for all of it, one is answered before it is begun, and one when it is over.
    expect(answered).toBeGreaterThan(5);
    expect(calls).toBe(LONG);
    expect([verdicts.undecidable, verdicts.allowed > 0, verdicts.blocked > 0, verdicts.held > 0]).toEqual([0, true, true, true]);
  }, 120_000); // prettier-ignore
});

/** Appends calls as the proxy records them, through Haldir's own writer, on one connection. */
async function fill(tenantId: string, count: number): Promise<void> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  await db.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{"${tenantId}"}`]);
  await db.query('UPDATE audit_head SET last_micros = 0 WHERE tenant_id = $1', [tenantId]);
  const query = async ({ text }: { text: string }, values: unknown[]): Promise<unknown[]> =>
    (await db.query(text, values)).rows as unknown[];
  // Over a day.
  const step = 86_400_000 / count;
  let now = Date.now() - 86_400_000;
  const log = new AuditLog(new AuditLogRepository({ query } as unknown as Transactions), { now: () => new Date(now) });
  for (let i = 0; i < count; i += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, j) => {
        const n = i + j;
        now += step;
        const details = { decision: 'allowed', result: 'ok', upstream: 'up', amount: n % 100, decided_at: Math.round(now - (n % 300)) / 1000 };
        const [agentId, tool] = [`agent-${n % 20}`, `up.tool-${(n * 7) % 20}`];
        return log.append(haldirActor(tenantId), { source: 'proxy', sessionId: 'ses_1', agentId, tool, action: 'tool_call', details: { ...details, latency_ms: 1.5, arguments_sha256: 'ab'.repeat(32) } });
      }),
    ); // prettier-ignore
  }
  await db.end();
}
