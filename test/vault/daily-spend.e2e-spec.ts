import { type Client, sharedWorld, startFakeUpstream, type World } from '@haldir/test-support';

interface Sum {
  total_usd: number;
  count: number;
}
interface DailySpend extends Sum {
  from: string;
  to: string;
  by: string;
  names: (Sum & { name: string | null })[];
  days: (Sum & { day: string; names: (Sum & { name: string | null })[] })[];
}

let world: World;
beforeAll(async () => (world = await sharedWorld()));

const spendOf = async (tenant: Client, query = ''): Promise<DailySpend> =>
  (await tenant.get<DailySpend>(`/v1/spend${query}`)).body;
/** The UTC day so many days ago. */
const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
/** What was paid on a day that has passed: no request can say when it is made. */
async function paid(tenant: Client, on: string, agent: string, tool: string, usd: number, count = 1): Promise<void> {
  await world.sql('INSERT INTO payment_day VALUES ($1, $2, $3, $4, $5, $6)', [
    ...[await world.tenantOf(tenant), on, agent, tool, count, String(Math.round(usd * 1_000_000))],
  ]);
}

describe('what was paid by day', () => {
  it('is what agents paid, by agent and by tool, in one answer each', async () => {
    const [tenant, stranger, upstream] = await Promise.all([
      world.newTenant(),
      world.newTenant(),
      startFakeUpstream('echo'),
    ]);
    await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
    await tenant.put('/v1/proxy/upstreams/up/tools/echo/price', { price_usd: 0.5 });
    const [a, b] = [
      await tenant.session({ agent_id: 'a', spend_limit: 100, scopes: ['read', 'execute'] }),
      await tenant.session({ agent_id: 'b', spend_limit: 100 }),
    ];
    const today = day(0);
    for (let i = 0; i < 3; i++) await tenant.post('/v1/proxy/call', { session_id: a, tool: 'up.echo', arguments: {} });
    await tenant.post('/v1/payments/authorize', { session_id: a, amount: 1.25 });
    await tenant.post('/v1/payments/authorize', { session_id: b, amount: 6 });
    // Set aside, and not paid.
    await tenant.post('/v1/payments/hold', { session_id: b, amount: 10 });
    await upstream.stop();
    const byAgent = [
      { name: 'b', total_usd: 6, count: 1 },
      { name: 'a', total_usd: 2.75, count: 4 },
    ];
    expect(await spendOf(tenant)).toEqual({
      ...{ from: day(6), to: today, by: 'agent', total_usd: 8.75, count: 5, names: byAgent },
      days: [{ day: today, total_usd: 8.75, count: 5, names: byAgent }],
    });
    const byTool = [
      { name: 'haldir.vault', total_usd: 7.25, count: 2 },
      { name: 'up.echo', total_usd: 1.5, count: 3 },
    ];
    expect(await spendOf(tenant, '?by=tool')).toMatchObject({
      total_usd: 8.75,
      names: byTool,
      days: [{ names: byTool }],
    });
    expect(await spendOf(tenant, '?by=tool&agent_id=a')).toMatchObject({
      ...{ total_usd: 2.75, count: 4 },
      names: [{ name: 'up.echo' }, { name: 'haldir.vault' }],
    });
    expect(await spendOf(stranger)).toMatchObject({ total_usd: 0, count: 0, names: [], days: [] });
    expect(await spendOf(stranger, '?agent_id=a')).toMatchObject({ total_usd: 0, names: [] });
  });

  it('is of the days that are asked for, both ends included, and its sums are of these alone', async () => {
    const tenant = await world.newTenant();
    for (const [ago, usd] of [[0, 1], [6, 2], [7, 4], [40, 8]] as const) await paid(tenant, day(ago), 'a', 't', usd); // prettier-ignore
    expect(await spendOf(tenant)).toMatchObject({ from: day(6), total_usd: 3, names: [{ total_usd: 3 }] });
    const some = await spendOf(tenant, `?from=${day(7)}&to=${day(6)}`);
    expect(some).toMatchObject({ total_usd: 6, count: 2, days: [{ day: day(7), total_usd: 4 }, { day: day(6) }] });
    expect((await spendOf(tenant, `?to=${day(6)}`)).from).toBe(day(12));
    expect(await spendOf(tenant, `?from=${day(40)}&to=${day(40)}`)).toMatchObject({ total_usd: 8 });
    await world.sql('DELETE FROM payment_day WHERE tenant_id = $1', [await world.tenantOf(tenant)]);
  });

  it('names those that most was paid for, and the others together', async () => {
    const tenant = await world.newTenant();
    for (let n = 0; n < 12; n++) await paid(tenant, day(0), `agent-${n}`, 't', n + 1, 2);
    const { names, days, total_usd: total, count } = await spendOf(tenant);
    expect(names.map(({ name }) => name)).toEqual([...Array.from({ length: 8 }, (_, i) => `agent-${11 - i}`), null]);
    expect(names.at(-1)).toEqual({ name: null, total_usd: 1 + 2 + 3 + 4, count: 8 });
    expect([total, count]).toEqual([78, 24]);
    expect(days).toEqual([{ day: day(0), total_usd: 78, count: 24, names }]);
    await world.sql('DELETE FROM payment_day WHERE tenant_id = $1', [await world.tenantOf(tenant)]);
  });

  it('takes no day that there is not, no period that ends before it begins or is too long, and no agent key', async () => {
    const tenant = await world.newTenant();
    const refused = async (query: string, field: string): Promise<void> => {
      const { status, body } = await tenant.get(`/v1/spend?${query}`);
      expect([query, status, body]).toEqual([query, 400, expect.objectContaining({ field })]);
    };
    for (const text of ['2026-02-30', 'today', '20260101', '2026-1-1', '1969-12-31', '2026-01-01T00:00:00Z']) {
      await refused(`from=${text}`, 'from');
      await refused(`to=${text}`, 'to');
    }
    await refused(`from=${day(0)}&to=${day(1)}`, 'from');
    await refused(`from=${day(366)}`, 'from');
    await refused('by=day', 'by');
    expect((await tenant.get(`/v1/spend?from=${day(365)}`)).status).toBe(200);
    const agent = { agent_id: 'a', scopes: ['read'], ttl: 60, spend_limit: 0 };
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { agent });
    expect((await tenant.get('/v1/spend', { authorization: `Bearer ${body.key}` })).status).toBe(403);
  });
});
