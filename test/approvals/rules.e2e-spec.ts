import { type AppProcess, type Client, type Reply, sharedWorld, times, type World } from '@haldir/test-support';

type Body = Record<string, unknown>;
interface Payment extends Body {
  remaining_budget: number | null;
  request_id: string;
  reason: string;
}

const authorized = (replies: Reply<Payment>[]): Reply<Payment>[] => replies.filter(({ status }) => status === 200);
const pay = (client: Client, session: string, amount: number, more: Body = {}): Promise<Reply<Payment>> =>
  client.post<Payment>('/v1/payments/authorize', { session_id: session, amount, ...more });

let world: World;
beforeAll(async () => {
  world = await sharedWorld();
});

describe('approval rules', () => {
  it('are added, listed in their order and removed, each tenant its own', async () => {
    const tenant = await world.newTenant();
    const added: { id: string }[] = [];
    for (const rule of [
      { type: 'spend_over' },
      { type: 'spend_over', threshold: 99.5 },
      { type: 'tool_blocked', tools: ['drop_table', 'db.drop_table', 'drop_table'] },
      { type: 'destructive', threshold: 7 },
      { type: 'all', tools: null },
    ]) {
      const { status, body } = await tenant.post<{ id: string }>('/v1/approvals/rules', rule);
      expect([status, body]).toEqual([201, { added: true, type: rule.type, id: expect.stringMatching(/^apl_/) }]);
      added.push(body);
    }
    const { body } = await tenant.get<{ rules: Body[] }>('/v1/approvals/rules');
    expect(body).toMatchObject({ count: 5, next_cursor: null });
    expect(body.rules.map(({ created_at, ...rule }) => rule)).toEqual([
      { id: added[0]?.id, type: 'spend_over', threshold: 0 },
      { id: added[1]?.id, type: 'spend_over', threshold: 99.5 },
      { id: added[2]?.id, type: 'tool_blocked', tools: ['drop_table', 'db.drop_table'] },
      { id: added[3]?.id, type: 'destructive' },
      { id: added[4]?.id, type: 'all' },
    ]);

    const stranger = await world.newTenant();
    expect((await stranger.get('/v1/approvals/rules')).body).toMatchObject({ count: 0, rules: [] });
    expect((await stranger.delete(`/v1/approvals/rules/${added[4]?.id}`)).status).toBe(404);
    expect((await tenant.delete(`/v1/approvals/rules/${added[4]?.id}`)).body).toEqual({
      deleted: true,
      id: added[4]?.id,
    });
    expect((await tenant.delete(`/v1/approvals/rules/${added[4]?.id}`)).status).toBe(404);
    expect((await tenant.get('/v1/approvals/rules')).body).toMatchObject({ count: 4 });
  });

  it('that cannot be are refused by name', async () => {
    for (const [rule, field] of [
      [{}, 'type'],
      [{ type: 'some' }, 'type'],
      [{ type: ['all'] }, 'type'],
      [{ type: 'spend_over', threshold: -1 }, 'threshold'],
      [{ type: 'spend_over', threshold: '10' }, 'threshold'],
      [{ type: 'spend_over', threshold: null }, 'threshold'],
      [{ type: 'spend_over', threshold: 0.0000001 }, 'threshold'],
      [{ type: 'spend_over', threshold: 1e300 }, 'threshold'],
      [{ type: 'tool_blocked' }, 'tools'],
      [{ type: 'tool_blocked', tools: null }, 'tools'],
      [{ type: 'tool_blocked', tools: [] }, 'tools'],
      [{ type: 'tool_blocked', tools: 'echo' }, 'tools'],
      [{ type: 'tool_blocked', tools: ['echo', 7] }, 'tools.1'],
      [{ type: 'tool_blocked', tools: [''] }, 'tools.0'],
      [{ type: 'all', tools: 'echo' }, 'tools'],
    ] as [Body, string][]) {
      const { status, body } = await world.operator.post('/v1/approvals/rules', rule);
      expect([rule, status, String(body['error']).split(':')[0]]).toEqual([rule, 400, field]);
    }
  });

  it.each([
    ['all', { type: 'all' }],
    ['spend_over nothing', { type: 'spend_over' }],
    ['tool_blocked payment', { type: 'tool_blocked', tools: ['payment'] }],
    ['tool_blocked haldir.vault', { type: 'tool_blocked', tools: ['other', 'haldir.vault'] }],
  ])('%s holds a payment back on every process at once, until it is removed', async (_, rule) => {
    const tenant = await world.newTenant();
    const elsewhere = tenant.at(world.apis[1] as AppProcess);
    const session = await tenant.session({ spend_limit: 10 });
    const { id } = (await tenant.post<{ id: string }>('/v1/approvals/rules', rule)).body;
    for (const client of [tenant, elsewhere]) {
      expect((await pay(client, session, 1)).body).toMatchObject({ reason: 'approval required' });
    }
    await elsewhere.delete(`/v1/approvals/rules/${id}`);
    for (const client of [tenant, elsewhere]) expect((await pay(client, session, 1)).status).toBe(200);
  });

  it('about tools, or over what is paid, let a payment through', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session({ spend_limit: 10 });
    for (const rule of [
      { type: 'destructive' },
      { type: 'spend_over', threshold: 5 },
      { type: 'tool_blocked', tools: ['pay', 'vault'] },
    ]) {
      await tenant.post('/v1/approvals/rules', rule);
    }
    expect((await pay(tenant, session, 5)).status).toBe(200);
    expect((await pay(tenant, session, 5)).status).toBe(200);
  });
});

describe('a payment that a rule holds back', () => {
  let tenant: Client;
  let elsewhere: Client;
  let session: string;
  const at = (i: number): Client => (i % 2 === 0 ? tenant : elsewhere);
  const decide = (request: string, how: 'approve' | 'deny'): Promise<Reply> =>
    elsewhere.post(`/v1/approvals/${request}/${how}`);
  beforeEach(async () => {
    tenant = await world.newTenant();
    elsewhere = tenant.at(world.apis[1] as AppProcess);
    session = await tenant.session({ agent_id: 'asker', spend_limit: 100 });
    await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 10 });
  });

  it('waits for a human, and is then authorized once, however many ask at once', async () => {
    expect((await pay(tenant, session, 10)).status).toBe(200);
    const held = await times(10, (i) => pay(at(i), session, 20, { description: 'flight' }));
    expect(held.map(({ status }) => status)).toEqual(Array<number>(10).fill(403));
    const [first] = held;
    expect(first?.body).toEqual({
      authorized: false,
      amount: 20,
      currency: 'USD',
      remaining_budget: 90,
      reason: 'approval required',
      request_id: expect.stringMatching(/^apr_/),
      message: expect.stringContaining('10 USD'),
      expires_at: expect.any(Number),
      notified: expect.stringMatching(/^(?:pending|nobody)$/),
    });
    expect(new Set(held.map(({ body }) => body.request_id)).size).toBe(1);
    const request = first?.body.request_id ?? '';
    expect((await tenant.get(`/v1/approvals/${request}`)).body).toMatchObject({
      agent_id: 'asker',
      amount: 20,
      status: 'pending',
      consumed: false,
    });
    expect((await decide(request, 'approve')).status).toBe(200);

    for (const [amount, more] of [
      [20.01, { description: 'flight' }],
      [20, { description: 'Flight' }],
      [20, {}],
      [20, { description: 'flight', currency: 'EUR' }],
    ] as const) {
      expect((await pay(tenant, session, amount, more)).body).toMatchObject({ reason: 'approval required' });
    }
    const other = await tenant.session({ spend_limit: 100 });
    expect((await pay(tenant, other, 20, { description: 'flight' })).status).toBe(403);

    const replies = await times(10, (i) => pay(at(i), session, 20, { description: 'flight' }));
    expect(authorized(replies)).toHaveLength(1);
    expect(authorized(replies)[0]?.body).toMatchObject({ authorized: true, amount: 20, remaining_budget: 70 });
    const again = replies.filter(({ status }) => status === 403).map(({ body }) => body.request_id);
    expect([...new Set(again)]).toEqual([expect.not.stringMatching(request)]);
    expect((await tenant.get(`/v1/approvals/${request}`)).body).toMatchObject({ status: 'approved', consumed: true });
    expect((await tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 30 });
    expect((await tenant.get('/v1/payments')).body).toMatchObject({ count: 2 });
  });

  it('stays refused when the human says no, and is asked about anew', async () => {
    const first = (await pay(tenant, session, 50)).body.request_id;
    await decide(first, 'deny');
    const second = (await pay(tenant, session, 50)).body;
    expect(second).toMatchObject({ authorized: false, reason: 'approval required' });
    expect(second.request_id).not.toBe(first);
  });

  it('is not authorized by an approval that has expired, and joins no request that has', async () => {
    const expire = (request: string): Promise<unknown> =>
      world.sql('UPDATE approval_request SET expires_at = now() WHERE id = $1', [request]);
    const first = (await pay(tenant, session, 50)).body.request_id;
    await decide(first, 'approve');
    await expire(first);
    const second = (await pay(tenant, session, 50)).body.request_id;
    expect(second).not.toBe(first);
    await expire(second);
    const third = (await pay(elsewhere, session, 50)).body.request_id;
    expect(third).not.toBe(second);
    expect((await tenant.get(`/v1/approvals/${second}`)).body).toMatchObject({ status: 'expired' });
    await decide(third, 'approve');
    expect((await pay(tenant, session, 50)).status).toBe(200);
  });

  it('is not asked about when the budget refuses it anyway, and is not paid from a budget gone meanwhile', async () => {
    expect((await pay(tenant, session, 100.01)).body.reason).not.toBe('approval required');
    expect((await tenant.get('/v1/approvals/pending')).body).toMatchObject({ count: 0 });
    const held = (await pay(tenant, session, 95)).body.request_id;
    await decide(held, 'approve');
    expect((await pay(tenant, session, 6)).status).toBe(200);
    const refused = await pay(tenant, session, 95);
    expect([refused.status, refused.body.remaining_budget]).toEqual([403, 94]);
    expect((await tenant.get(`/v1/approvals/${held}`)).body).toMatchObject({ consumed: false });
  });
});
