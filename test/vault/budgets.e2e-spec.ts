import { type Reply, times } from '@haldir/test-support';
import { type Body, moneyWorld } from './money.js';

const here = moneyWorld();
const { hold, held, release, pay } = here;

describe('budgets above sessions', () => {
  const set = (body: Body): Promise<Reply> => here.tenant.post('/v1/budgets', body);
  const events = async (): Promise<Body[]> =>
    (
      await here.world.sql<{ data: Body }>(
        `SELECT data FROM outbox WHERE tenant_id = $1 AND type = 'budget_threshold' ORDER BY id`,
        [await here.world.tenantOf(here.tenant)],
      )
    ).map(({ data }) => data);

  it('hold over all sessions of an agent in a day and of a tenant in a month, however many race', async () => {
    expect((await set({ scope: 'tenant', limit: 40 })).status).toBe(201);
    expect((await set({ scope: 'agent', limit: 30 })).status).toBe(201);
    expect((await set({ scope: 'agent', agent_id: 'frugal', limit: 15 })).status).toBe(201);
    const frugal = await times(5, () => here.tenant.session({ agent_id: 'frugal', scopes: ['spend'] }));
    const lavish = await times(5, () => here.tenant.session({ agent_id: 'lavish', scopes: ['spend'] }));
    const replies = await times(120, (i) => {
      const sessions = i % 2 ? frugal : lavish;
      const client = i % 3 ? here.tenant : here.tenant.at(here.there);
      return i % 5 ? pay(String(sessions[i % 5]), 1, client) : hold(String(sessions[i % 5]), 1, {}, client);
    });
    const passed = replies.filter(({ status }) => status === 200);
    expect(passed).toHaveLength(40);
    const reasons = new Set(replies.filter(({ status }) => status === 403).map(({ body }) => body['reason']));
    expect([...reasons].every((reason) => /budget of the (day|month) is exceeded$/.test(String(reason)))).toBe(true);
    const { budgets } = (await here.tenant.get<{ budgets: Body[] }>('/v1/budgets')).body;
    const of = (agent: string | null, scope: string): Body =>
      budgets.find((one) => one['agent_id'] === agent && one['scope'] === scope) ?? {};
    expect(of(null, 'tenant')).toMatchObject({ limit: 40, remaining: 0, period: 'month' });
    expect(Number(of('frugal', 'agent')['spent']) + Number(of('frugal', 'agent')['held'])).toBeLessThanOrEqual(15);
    expect(of(null, 'agent')).toMatchObject({ spent: null, remaining: null });
  });

  it('know what was spent before they were set, and give back what is voided', async () => {
    const session = await here.tenant.session({ scopes: ['spend'] });
    await pay(session, 7);
    const id = await held(session, 3);
    await set({ scope: 'tenant', limit: 12 });
    const denied = await pay(session, 2.01);
    expect(denied.body).toMatchObject({ remaining_budget: 2, reason: "The tenant's budget of the month is exceeded" });
    await release(id);
    expect((await pay(session, 5)).body).toMatchObject({ authorized: true, remaining_budget: 0 });
  });

  it('let nothing of unknown worth through', async () => {
    const session = await here.tenant.session({ scopes: ['spend'] });
    const yen = () => here.tenant.post('/v1/payments/authorize', { session_id: session, amount: 100, currency: 'JPY' });
    expect((await yen()).status).toBe(200);
    await set({ scope: 'agent', limit: 1000 });
    expect((await yen()).body).toMatchObject({ authorized: false, reason: expect.stringContaining('exchange rate') });
  });

  it('announce 50, 80 and 100 percent, of every limit, exactly once', async () => {
    await set({ scope: 'tenant', limit: 200 });
    await set({ scope: 'agent', limit: 125 });
    const session = await here.tenant.session({ spend_limit: 100, agent_id: 'a' });
    await times(100, (i) => pay(session, 1, i % 2 ? here.tenant : here.tenant.at(here.there)));
    // Voided and held again, nothing is announced again.
    const other = await here.tenant.session({ agent_id: 'a', scopes: ['spend'] });
    for (let i = 0; i < 3; i++) await release(await held(other, 25));
    const told = (await events()).map(
      ({ scope, threshold, limit }) => `${String(scope)} ${String(threshold)} of ${String(limit)}`,
    );
    expect(told.sort()).toEqual(
      [
        'agent_day 100 of 125',
        'agent_day 50 of 125',
        'agent_day 80 of 125',
        'session 100 of 100',
        'session 50 of 100',
        'session 80 of 100',
        'tenant_month 50 of 200',
      ].sort(),
    );
  });

  it('are set by who may, for this tenant alone', async () => {
    const stranger = await here.world.newTenant();
    const { body } = await set({ scope: 'tenant', limit: 1 });
    expect((await stranger.get('/v1/budgets')).body).toMatchObject({ count: 0 });
    expect((await stranger.delete(`/v1/budgets/${String(body['id'])}`)).status).toBe(404);
    const again = await set({ scope: 'tenant', limit: 2 });
    expect((await here.tenant.get<{ budgets: Body[] }>('/v1/budgets')).body.budgets).toMatchObject([
      { id: again.body['id'], limit: 2 },
    ]);
    expect((await here.tenant.delete(`/v1/budgets/${String(again.body['id'])}`)).body).toMatchObject({ deleted: true });
    for (const fault of [{ scope: 'world' }, { limit: -1 }, { limit: 0.001 }, { agent_id: 'a' }]) {
      const reply = await set({ scope: 'tenant', limit: 1, ...fault });
      expect([reply.status, String(reply.body['error']).split(':')[0]]).toEqual([400, Object.keys(fault)[0]]);
    }
  });
});
