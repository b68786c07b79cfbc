import {
  type AppProcess,
  type Balancer,
  eventually,
  type FakeUpstream,
  type Reply,
  Scenario,
  startApi,
  startBalancer,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { createServer, type RequestListener } from 'node:http';

interface Standing {
  spent: number;
  remaining_budget: number;
}

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;
let session: string;
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '2' } });
  balancer = await startBalancer(world.apis);
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo', 'free'], { balancer });
  session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 5 });
  expect((await price(0.5)).body).toEqual({ upstream: 'up', tool: 'echo', price_usd: 0.5 });
});
afterEach(() => scenario.up.stop().catch(() => undefined));
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});

const price = (price_usd: number): Promise<Reply> =>
  scenario.tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd });
const call = (tool: string, i = 0, by = world.apis[i % 2] as AppProcess): Promise<Reply> =>
  scenario.tenant.at(by).post('/v1/proxy/call', { tool: `up.${tool}`, arguments: { i }, session_id: session });
const standing = async (): Promise<Standing> => (await scenario.tenant.get<Standing>(`/v1/sessions/${session}`)).body;
/** What one query over the books finds wrong. */
const faults = async (): Promise<unknown[]> => world.sql('SELECT * FROM payment_fault');

/** Makes a call that waits for its price behind a lock on its session, with `meanwhile` in between. */
async function overtaken<T>(make: () => Promise<T>, meanwhile: () => Promise<unknown>): Promise<T> {
  await world.sql('BEGIN');
  try {
    await world.sql('SELECT FROM session WHERE id = $1 FOR UPDATE', [session]);
    const reply = make();
    await eventually(async () => expect(await world.sql(BEHIND)).toEqual([{ waiting: 1 }]));
    await meanwhile();
    await world.sql('COMMIT');
    return await reply;
  } catch (error) {
    await world.sql('ROLLBACK');
    throw error;
  }
}
const BEHIND = `SELECT count(*)::int AS waiting FROM pg_locks mine JOIN pg_locks theirs USING (transactionid)
                 WHERE mine.pid = pg_backend_pid() AND mine.granted AND NOT theirs.granted`;

/** Answers in the place of the upstream, which has ended. */
async function instead<T>(answer: RequestListener, work: () => Promise<T>): Promise<T> {
  const port = Number(new URL(scenario.up.url).port);
  await scenario.up.stop();
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    return await work();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('a priced tool', () => {
  it('is called as often as the budget has room for, whoever races over REST and MCP', async () => {
    const agent = scenario.agent('stateless', session);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        if (i % 2) return (await call('echo', i >> 1)).status === 200;
        const { message } = await agent.call('up.echo', { i });
        return message?.result?.isError !== true;
      }),
    );
    expect(answers.filter((passed) => passed)).toHaveLength(10);
    expect(scenario.up.calls).toHaveLength(10);
    expect(await standing()).toMatchObject({ spent: 5, remaining_budget: 0 });
    const { body: spend } = await scenario.tenant.get('/v1/audit/spend');
    expect(spend).toMatchObject({ payments: { total_usd: 5, count: 10 }, total_usd: 0 });
    const refused = await call('echo');
    expect([refused.status, refused.body]).toMatchObject([403, { isError: true, code: 'insufficient_budget' }]);
    const said = JSON.parse((refused.body['content'] as { text: string }[])[0]?.text ?? '') as unknown;
    expect(said).toMatchObject({ blocked_by: 'haldir', code: 'insufficient_budget', price_usd: 0.5, remaining_budget: 0 });
    const entries = await scenario.callEntries('up.echo');
    expect(entries.filter(({ details }) => details['authorization_id'] !== undefined)).toHaveLength(10);
    expect(entries.filter(({ details }) => details['code'] === 'insufficient_budget')).toHaveLength(11);
    // What costs nothing asks no budget.
    expect((await call('free')).status).toBe(200);
    expect(await faults()).toEqual([]);
  }); // prettier-ignore

  it('gives its price back when the upstream fails: refuses the connection, answers 500, or not at all', async () => {
    const replies = [
      await instead((_, response) => response.writeHead(500).end(), () => call('echo')),
      await instead(() => undefined, () => call('echo')),
      await call('echo'),
    ];
    expect(replies.map(({ status }) => status)).toEqual([502, 502, 502]);
    expect(await standing()).toMatchObject({ spent: 0, remaining_budget: 5 });
    expect(await faults()).toEqual([]);
  }); // prettier-ignore

  describe('whose secret is lost once the price is held', () => {
    const store = (bindings: object[]): Promise<Reply> =>
      scenario.tenant.post('/v1/secrets', { name: 'key', value: 'a value of it', scope_required: 'execute', bindings });
    const args = { value: '{{vault:key}}' };
    const rest = async (): Promise<string> => {
      const { status, body } = await scenario.tenant.post('/v1/proxy/call', { tool: 'up.echo', arguments: args, session_id: session });
      expect(status).toBe(403);
      return JSON.stringify(body);
    };
    const mcp = async (): Promise<string> => JSON.stringify((await scenario.agent('stateless', session).call('up.echo', args)).message);

    it.each([
      ['deleted', 'unknown', () => scenario.tenant.delete('/v1/secrets/key')],
      ['bound to another tool', 'unbound', () => store([{ upstream: 'up', tool: 'free' }])],
    ])('because it is %s, is not called, and has its price given back with the refusal', async (_, reason, lose) => {
      for (const make of [rest, mcp]) {
        expect((await store([{ upstream: 'up', tool: 'echo' }])).status).toBe(201);
        expect(await overtaken(make, lose)).toContain('secret_not_usable');
        expect(await standing()).toMatchObject({ spent: 0, remaining_budget: 5 });
      }
      expect(scenario.up.calls).toEqual([]);
      // It was held, and waited for no expiry.
      expect((await scenario.tenant.get('/v1/payments?status=voided')).body).toMatchObject({ count: 2 });
      expect((await scenario.tenant.get('/v1/payments?status=held')).body).toMatchObject({ count: 0 });
      const blocked = await scenario.callEntries('up.echo');
      expect(blocked).toMatchObject([1, 2].map(() => ({ action: 'tool_call_blocked', details: { secret: 'key', secret_reason: reason } })));
      expect(await faults()).toEqual([]);
    });
  }); // prettier-ignore

  it('is paid for when the process dies during the call: nobody knows what became of it', async () => {
    const api = await startApi({ ...world.environment, UPSTREAM_TIMEOUT_SECONDS: '30' });
    await instead(() => undefined, async () => {
      const lost = call('echo', 0, api).catch(() => undefined);
      await eventually(async () => expect(await standing()).toMatchObject({ spent: 0, remaining_budget: 4.5 }));
      await api.kill();
      await lost;
    });
    expect((await scenario.tenant.get('/v1/payments?status=held')).body).toMatchObject({ count: 1 });
    await world.sql(`UPDATE process_lease SET ends_at = now() - interval '1 second'`);
    const worker = await startWorker(world.environment);
    await eventually(async () => expect(await standing()).toMatchObject({ spent: 0.5, remaining_budget: 4.5 }));
    const entries = await scenario.callEntries('up.echo');
    expect(entries).toMatchObject([{ action: 'tool_call', details: { outcome: 'unknown', price_usd: 0.5 } }]);
    await worker.stop();
    expect(await faults()).toEqual([]);
  }, 60_000); // prettier-ignore

  it('needs a session that may spend, and keeps to the budgets above it', async () => {
    session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute'] });
    expect((await call('echo')).body).toMatchObject({ code: 'insufficient_budget', error: expect.stringContaining('grant') });
    session = await scenario.tenant.session({ agent_id: 'agent', scopes: ['execute', 'spend'] });
    await scenario.tenant.post('/v1/budgets', { scope: 'agent', limit: 1, agent_id: 'agent' });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await call('echo', i)).status);
    expect(statuses).toEqual([200, 200, 403]);
  }); // prettier-ignore

  it('is shown with its price, which survives a refresh, can be taken off, and goes with the upstream', async () => {
    const shown = async (): Promise<unknown[]> =>
      (await scenario.tenant.get<{ tools: { name: string; price_usd?: number }[] }>('/v1/proxy/tools')).body.tools.map((tool) => [tool.name, tool.price_usd]);
    await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
    expect(await shown()).toEqual([['echo', 0.5], ['free', undefined]]);
    await price(0.75);
    expect(await shown()).toEqual([['echo', 0.75], ['free', undefined]]);
    const stranger = await world.newTenant();
    for (const wrong of [0, -1, 0.001, 'much', 1_000_001]) expect((await scenario.tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: wrong })).status).toBe(400);
    expect((await stranger.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: 1 })).status).toBe(404);
    expect((await stranger.delete('/v1/proxy/upstreams/up/tools/echo/price')).status).toBe(404);
    expect((await scenario.tenant.delete('/v1/proxy/upstreams/up/tools/echo/price')).status).toBe(200);
    expect((await scenario.tenant.delete('/v1/proxy/upstreams/up/tools/echo/price')).status).toBe(404);
    expect((await call('echo')).status).toBe(200);
    expect(await standing()).toMatchObject({ spent: 0 });
    await price(2);
    await scenario.tenant.delete('/v1/proxy/upstreams/up');
    await scenario.tenant.post('/v1/proxy/upstreams', { name: 'up', url: scenario.up.url });
    expect(await shown()).toEqual([['echo', undefined], ['free', undefined]]);
  }); // prettier-ignore
});
