import { type Client, startApi, startFakeUpstream, startWorld, type World } from '@haldir/test-support';

interface Row {
  day: string;
  agent_id: string;
  tool: string;
  total_usd: number;
  count: number;
}
interface Spend {
  total_usd: number;
  by_tool: Record<string, number>;
  by_agent: Record<string, number>;
  payments: { total_usd: number; count: number; rows: Row[] };
  next_cursor: string | null;
}

let world: World;
beforeAll(async () => (world = await startWorld()));
afterAll(() => world.stop());

const spendOf = async (tenant: Client, query = ''): Promise<Spend> =>
  (await tenant.get<Spend>(`/v1/audit/spend${query}`)).body;
const pay = (tenant: Client, session: string, amount: number) =>
  tenant.post('/v1/payments/authorize', { session_id: session, amount });
/** How many rows of payments by day were read so far, by connections that have ended. */
const rowsRead = async (): Promise<number> => {
  const [row] = await world.sql<{ rows: number }>(
    `SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::integer AS rows FROM pg_stat_user_tables
      WHERE relname = 'payment_day'`,
  );
  return row?.rows ?? 0;
};
const today = (): string => new Date().toISOString().slice(0, 10);

describe('the spend summary', () => {
  it('counts what an agent paid, 7.50, and what it reports', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session({ agent_id: 'payer', spend_limit: 10 });
    await pay(tenant, session, 7.5);
    expect((await spendOf(tenant)).by_agent).toEqual({ payer: 7.5 });
    expect((await spendOf(tenant, `?session_id=${session}`)).by_agent).toEqual({ payer: 7.5 });
    expect((await spendOf(tenant, '?agent_id=payer')).by_agent).toEqual({ payer: 7.5 });
    await tenant.post('/v1/audit', { session_id: session, tool: 'gpu', action: 'rent', cost_usd: 0.25 });
    // Denied: not counted.
    await pay(tenant, session, 7.5);
    const spend = await spendOf(tenant);
    expect(spend.by_agent).toEqual({ payer: 7.75 });
    expect(spend).toMatchObject({ total_usd: 0.25, payments: { total_usd: 7.5, count: 1 } });
    expect(spend.by_tool['gpu']).toBe(0.25);
  });

  it('has payments by day, agent and tool in one table, page by page, and of one agent or session', async () => {
    const [tenant, upstream] = await Promise.all([world.newTenant(), startFakeUpstream('echo')]);
    await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
    await tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: 0.5 });
    const [a, b] = [
      await tenant.session({ agent_id: 'a', spend_limit: 100, scopes: ['read', 'execute'] }),
      await tenant.session({ agent_id: 'b', spend_limit: 100 }),
    ];
    const day = today();
    for (let i = 0; i < 3; i++) await tenant.post('/v1/proxy/call', { session_id: a, tool: 'up.echo', arguments: {} });
    await pay(tenant, a, 1.25);
    await pay(tenant, b, 2);
    const hold = await tenant.post<{ authorization_id: string }>('/v1/payments/hold', { session_id: b, amount: 10 });
    await tenant.post(`/v1/payments/${hold.body.authorization_id}/capture`, { amount: 4 });
    await tenant.post('/v1/payments/hold', { session_id: b, amount: 10 });
    await upstream.stop();
    const rows: Row[] = [
      { day, agent_id: 'b', tool: 'haldir.vault', total_usd: 6, count: 2 },
      { day, agent_id: 'a', tool: 'up.echo', total_usd: 1.5, count: 3 },
      { day, agent_id: 'a', tool: 'haldir.vault', total_usd: 1.25, count: 1 },
    ];
    const all = await spendOf(tenant);
    expect([all.payments.rows, all.next_cursor]).toEqual([rows, null]);
    expect(all.payments).toMatchObject({ total_usd: 8.75, count: 6 });
    expect(all.by_agent).toEqual({ a: 2.75, b: 6 });
    for (const query of ['?agent_id=a', `?session_id=${a}`]) {
      const { payments, by_agent: byAgent } = await spendOf(tenant, query);
      expect([payments.rows, byAgent]).toEqual([rows.slice(1), { a: 2.75 }]);
    }
    const paged: Row[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Spend = await spendOf(tenant, `?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...page.payments.rows);
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(rows);
    expect(await world.sql('SELECT * FROM payment_fault')).toEqual([]);
  });

  it('finds the days of an agent among 200,000 rows without reading them', async () => {
    const tenant = await world.newTenant();
    const tenantId = await world.tenantOf(tenant);
    const session = await tenant.session({ agent_id: 'rare', spend_limit: 10 });
    await pay(tenant, session, 1);
    await world.sql(
      `INSERT INTO payment_day SELECT $1, to_char(date '2020-01-01' + n / 1000, 'YYYY-MM-DD'), 'agent-' || n % 1000, 't', 1, 10
         FROM generate_series(1, 200000) AS n`,
      [tenantId],
    );
    // PostgreSQL counts what a connection read once it ends.
    const before = await rowsRead();
    const api = await startApi(world.environment);
    for (const query of ['', '?agent_id=rare', '?agent_id=agent-7', `?session_id=${session}`]) {
      expect((await spendOf(tenant.at(api), query)).payments.rows.length).toBeGreaterThan(0);
    }
    await api.stop();
    expect((await rowsRead()) - before).toBeLessThan(10_000);
    await world.sql(`DELETE FROM payment_day WHERE tenant_id = $1 AND agent_id <> 'rare'`, [tenantId]);
  });
});
