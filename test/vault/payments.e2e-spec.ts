import {
  type AppProcess,
  Client,
  eventually,
  type Reply,
  startApi,
  startWorld,
  times,
  type World,
} from '@haldir/test-support';

type Body = Record<string, unknown>;
interface Result extends Body {
  authorized: boolean;
  authorization_id: string;
  remaining_budget: number | null;
  request_id: string;
  reason: string;
}

const authorized = (replies: Reply<Result>[]): Reply<Result>[] => replies.filter(({ status }) => status === 200);
const pay = (
  client: Client,
  session: string,
  amount: unknown,
  more: Body = {},
  headers?: Record<string, string>,
): Promise<Reply<Result>> =>
  client.post<Result>('/v1/payments/authorize', { session_id: session, amount, ...more }, headers);

let world: World;
let here: Client;
let there: Client;
beforeAll(async () => {
  world = await startWorld({
    processes: 2,
    environment: { HALDIR_FX_RATES: 'EUR=1.08,JPY=0.0067,KWD=3.25' },
  });
  here = world.operator;
  there = here.at(world.apis[1] as AppProcess);
});
afterAll(() => world.stop());

const either = (i: number): Client => (i % 2 === 0 ? here : there);

/** What the tables say of a session: spent, and what its payments, their sums and the log add up to. */
async function books(session: string): Promise<Body> {
  const [row] = await world.sql(
    `SELECT s.spent_micros::float8 / 1e6 AS spent,
            (SELECT count(*)::integer FROM payment p WHERE p.session_id = s.id) AS payments,
            (SELECT coalesce(sum(usd_micros), 0)::float8 / 1e6 FROM payment p WHERE p.session_id = s.id) AS paid,
            (SELECT coalesce(sum(payments), 0)::integer FROM payment_total t WHERE t.scope = 'session' AND t.subject = s.id) AS counted,
            (SELECT coalesce(sum(usd_micros), 0)::float8 / 1e6 FROM payment_total t WHERE t.scope = 'session' AND t.subject = s.id) AS total,
            (SELECT count(*)::integer FROM audit_entry e WHERE e.session_id = s.id AND e.action = 'payment_authorized') AS entries
       FROM session s WHERE s.id = $1`,
    [session],
  );
  return row ?? {};
}

const announced = (session: string): Promise<Body[]> =>
  world.sql(`SELECT data FROM outbox WHERE type = 'budget_exhausted' AND data->>'session_id' = $1`, [session]);

describe('a payment', () => {
  it('takes exactly its amount: ten of 0.10 leave nothing of 1.00', async () => {
    const session = await here.session({ spend_limit: 1 });
    const left: unknown[] = [];
    for (let i = 0; i < 10; i++) left.push((await pay(either(i), session, 0.1)).body.remaining_budget);
    expect(left).toEqual([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]);
    expect((await pay(here, session, 0.01)).status).toBe(403);
    expect((await here.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 1, remaining_budget: 0 });
  });

  it('is answered in full, or refused in full', async () => {
    const session = await here.session({ agent_id: 'buyer', spend_limit: 5 });
    expect((await pay(here, session, 4.5, { description: 'lunch' })).body).toEqual({
      authorized: true,
      status: 'authorized',
      authorization_id: expect.stringMatching(/^pay_/),
      session_id: session,
      agent_id: 'buyer',
      amount: 4.5,
      currency: 'USD',
      description: 'lunch',
      remaining_budget: 0.5,
      timestamp: expect.closeTo(Date.now() / 1000, -2),
    });
    const { status, body } = await pay(here, session, 0.51);
    expect([status, body]).toEqual([
      403,
      { authorized: false, amount: 0.51, currency: 'USD', remaining_budget: 0.5, reason: expect.any(String) },
    ]);
  });

  it.each([
    ['no limit and the spend scope', { scopes: ['spend'] }, 200, null],
    ['no limit and admin', { scopes: ['admin'] }, 200, null],
    ['no limit and no grant', { scopes: ['read'] }, 403, null],
    ['spend:N', { scopes: ['spend:5'] }, 200, 4],
    ['spend:N and a limit', { scopes: ['spend:5'], spend_limit: 2 }, 200, 1],
    ['a limit and no scope', { scopes: [], spend_limit: 1 }, 200, 0],
    ['a limit of zero', { scopes: ['spend', 'admin'], spend_limit: 0 }, 403, 0],
    ['spend:0', { scopes: ['spend:0'] }, 403, 0],
    ['a limit of a cent less', { spend_limit: 0.99 }, 403, 0.99],
  ] as const)('with %s', async (_, wanted, status, remaining) => {
    const session = await here.session({ ...wanted });
    const reply = await pay(here, session, 1);
    expect([reply.status, reply.body.authorized, reply.body.remaining_budget]).toEqual([
      status,
      status === 200,
      remaining,
    ]);
  });

  it('of an amount, currency or session that cannot be is refused by name, and never echoed', async () => {
    const session = await here.session({ scopes: ['spend'] });
    const over = 'amount';
    for (const [body, field] of [
      ...[0, -0, -1, 1.005, 0.001, 1_000_000.01, 1_000_001, 1e21, '5', null, true, [1], {}].map((amount) => [
        { amount },
        over,
      ]),
      [{}, over],
      [{ amount: 1.5, currency: 'JPY' }, over],
      [{ amount: 1.2345, currency: 'KWD' }, over],
      ...['XYZ', '', 'US', 'USDT', 7, null, ['USD']].map((currency) => [{ amount: 1, currency }, 'currency']),
      [{ amount: 1, description: 7 }, 'description'],
      [{ amount: 1, description: 'x'.repeat(1001) }, 'description'],
      [{ amount: 1, description: 'a\0b' }, 'description'],
      [{ amount: 1, session_id: 7 }, 'session_id'],
      [{ amount: 1, session_id: null }, 'session_id'],
      [{ amount: 1, session_id: 'a\0b' }, 'session_id'],
    ] as [Body, string][]) {
      const reply = await here.post('/v1/payments/authorize', { session_id: session, ...body });
      expect([body, reply.status, String(reply.body['error']).split(':')[0]]).toEqual([body, 400, field]);
      expect(JSON.stringify(reply.body)).not.toMatch(/XYZ|1\.005/);
    }
    for (const amount of ['1e400', '-1e400', 'NaN', 'Infinity', '1e-400', '0x10', '.5']) {
      const raw = `{"session_id":"${session}","amount":${amount}}`;
      expect([amount, (await here.post('/v1/payments/authorize', raw)).status]).toEqual([amount, 400]);
    }
    expect(await books(session)).toMatchObject({ payments: 0, entries: 0 });
    for (const amount of [1_000_000, 0.01, 100.1, 8.41]) {
      expect((await pay(here, session, amount)).body).toMatchObject({ authorized: true, amount });
    }
    expect((await pay(here, session, 1.234, { currency: 'KWD' })).body).toMatchObject({ amount: 1.234 });
    expect((await pay(here, session, 999, { currency: 'JPY' })).body).toMatchObject({ amount: 999 });
  });

  it('of a session that is unknown, revoked, expired or another tenant’s is 401', async () => {
    const stranger = await world.newTenant();
    const expired = await here.session({ scopes: ['spend'], ttl: 1 });
    const revoked = await here.session({ scopes: ['spend'] });
    await here.delete(`/v1/sessions/${revoked}`);
    const foreign = await stranger.session({ scopes: ['spend'] });
    await eventually(async () => expect((await here.get(`/v1/sessions/${expired}`)).status).toBe(404), 3000);
    for (const session of ['ses_unknown', '', 'x'.repeat(5000), revoked, expired, foreign]) {
      expect((await pay(here, session, 1)).status).toBe(401);
      expect((await pay(there, session, 1, {}, { 'idempotency-key': `dead-${session.length}` })).status).toBe(401);
    }
  });

  it('in another currency takes what it is worth, rounded up, or is denied for want of a rate', async () => {
    const session = await here.session({ agent_id: 'traveller', spend_limit: 20 });
    expect((await pay(here, session, 10, { currency: 'EUR' })).body).toMatchObject({
      authorized: true,
      amount: 10,
      currency: 'EUR',
      remaining_budget: 9.2,
    });
    expect((await pay(here, session, 1000, { currency: 'JPY' })).body).toMatchObject({ remaining_budget: 2.5 });
    expect((await pay(here, session, 0.001, { currency: 'KWD' })).body).toMatchObject({ remaining_budget: 2.49675 });
    expect((await pay(here, session, 2.5, { currency: 'EUR' })).status).toBe(403);
    const denied = await pay(here, session, 0.01, { currency: 'GBP' });
    expect([denied.status, denied.body]).toEqual([
      403,
      {
        authorized: false,
        amount: 0.01,
        currency: 'GBP',
        remaining_budget: 2.49675,
        reason: expect.stringMatching(/exchange rate.*GBP/),
      },
    ]);
    const { payments } = (await here.get<{ payments: Body[] }>(`/v1/payments?session_id=${session}`)).body;
    expect(payments.map(({ currency, usd_value, fx_rate }) => [currency, usd_value, fx_rate])).toEqual([
      ['KWD', 0.00325, '3.25'],
      ['JPY', 6.7, '0.0067'],
      ['EUR', 10.8, '1.08'],
    ]);
    const unlimited = await here.session({ scopes: ['spend'] });
    expect((await pay(here, unlimited, 5, { currency: 'GBP' })).body).toMatchObject({ remaining_budget: null });
    expect((await here.get<{ payments: Body[] }>(`/v1/payments?session_id=${unlimited}`)).body.payments).toMatchObject([
      { amount: 5, currency: 'GBP', usd_value: null, fx_rate: null },
    ]);
  });
});

describe('racing payments', () => {
  it('over two processes are authorized as far as the budget goes: exactly 50 of 300', async () => {
    const session = await here.session({ agent_id: 'racer', spend_limit: 50 });
    const replies = await times(300, (i) => pay(either(i), session, 1));
    expect(authorized(replies)).toHaveLength(50);
    expect(replies.filter(({ status }) => status === 403)).toHaveLength(250);
    expect(new Set(authorized(replies).map(({ body }) => body.remaining_budget)).size).toBe(50);
    expect(await books(session)).toEqual({ spent: 50, payments: 50, paid: 50, counted: 50, total: 50, entries: 50 });
    expect(await announced(session)).toHaveLength(1);
  });

  it('of all sizes and currencies never exceed it, and are refused only where they do not fit', async () => {
    const session = await here.session({ spend_limit: 123.45 });
    const currencies = ['USD', 'EUR', 'KWD', 'JPY'];
    const replies = await times(200, (i) =>
      pay(either(i), session, (i % 7) + 1, { currency: currencies[i % currencies.length] }),
    );
    const { spent, ...sums } = await books(session);
    expect(spent).toBeLessThanOrEqual(123.45);
    expect(sums).toMatchObject({ paid: spent, total: spent, payments: authorized(replies).length });
    const dollars = { USD: 1, EUR: 1.08, KWD: 3.25, JPY: 0.0067 };
    const refused = replies.filter(({ status }) => status === 403).map(({ body }) => body);
    expect(refused.length).toBeGreaterThan(0);
    for (const { amount, currency, remaining_budget: left } of refused) {
      expect(Number(amount) * dollars[currency as 'USD']).toBeGreaterThan(left ?? Infinity);
    }
  });

  it('end with the session: none is authorized after the revocation was answered', async () => {
    const session = await here.session({ scopes: ['spend'] });
    let over = false;
    const after: number[] = [];
    const spenders = times(8, async (i) => {
      for (;;) {
        const begunAfter = over;
        const { status } = await pay(either(i), session, 0.01);
        if (!begunAfter) continue;
        after.push(status);
        return;
      }
    });
    await eventually(async () => expect((await books(session))['payments']).toBeGreaterThan(20));
    expect((await there.delete(`/v1/sessions/${session}`)).status).toBe(200);
    over = true;
    await spenders;
    expect(after).toEqual(Array<number>(8).fill(401));
  });

  it('are all or nothing when a process dies at once', async () => {
    const doomed = await startApi(world.environment);
    const session = await here.session({ spend_limit: 30 });
    const answers: Reply<Result>[] = [];
    const sending = times(200, (i) =>
      pay(i % 4 === 0 ? here : here.at(doomed), session, 1).then(
        (reply) => answers.push(reply),
        () => undefined,
      ),
    );
    await eventually(() => expect(answers.length).toBeGreaterThan(0), 5000, 1);
    await doomed.kill();
    await sending;
    const { spent, payments, ...sums } = await books(session);
    expect(spent).toBeLessThanOrEqual(30);
    expect({ payments, ...sums }).toEqual({
      payments: spent,
      paid: spent,
      counted: spent,
      total: spent,
      entries: spent,
    });
    const ids = authorized(answers).map(({ body }) => body.authorization_id);
    const kept = await world.sql('SELECT id FROM payment WHERE id = ANY ($1)', [ids]);
    expect(kept).toHaveLength(ids.length);
  }, 60_000);
});

describe('an Idempotency-Key', () => {
  it('gives 20 retries over two processes one effect and one answer', async () => {
    const session = await here.session({ spend_limit: 10 });
    const retry = (i: number, amount = 3): Promise<Reply<Result>> =>
      pay(either(i), session, amount, {}, { 'idempotency-key': 'pay-once' });
    const replies = await times(20, (i) => retry(i));
    expect(new Set(replies.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(replies[0]?.body).toMatchObject({ authorized: true, remaining_budget: 7 });
    expect(await books(session)).toEqual({ spent: 3, payments: 1, paid: 3, counted: 1, total: 3, entries: 1 });

    expect((await retry(0, 4)).status).toBe(422);
    const tenant = await world.newTenant();
    const other = await tenant.session({ spend_limit: 1 });
    expect((await pay(tenant, other, 1, {}, { 'idempotency-key': 'pay-once' })).body).toMatchObject({
      authorized: true,
      remaining_budget: 0,
    });
    await here.delete(`/v1/sessions/${session}`);
    expect((await retry(1)).body).toEqual(replies[0]?.body);
  });

  it('keeps a denial, and is free again after a refusal', async () => {
    const session = await here.session({ spend_limit: 1 });
    const key = { 'idempotency-key': 'denied' };
    const denied = await pay(here, session, 2, {}, key);
    expect(denied.status).toBe(403);
    expect((await pay(there, session, 2, {}, key)).body).toEqual(denied.body);
    expect((await pay(here, session, 0.001, {}, { 'idempotency-key': 'refused' })).status).toBe(400);
    expect((await pay(here, session, 1, {}, { 'idempotency-key': 'refused' })).status).toBe(200);
  });
});

describe('an exhausted budget', () => {
  it('is announced once a minute, by the payment that empties it or one that does not fit', async () => {
    const session = await here.session({ agent_id: 'broke', spend_limit: 2 });
    await pay(here, session, 1);
    expect(await announced(session)).toEqual([]);
    await pay(here, session, 1);
    const fact = { data: { session_id: session, agent_id: 'broke', spent: 2, limit: 2 } };
    expect(await announced(session)).toEqual([fact]);
    await times(10, (i) => pay(either(i), session, 1));
    expect(await announced(session)).toEqual([fact]);
    await world.sql(`UPDATE session SET budget_announced_at = budget_announced_at - interval '60 s' WHERE id = $1`, [
      session,
    ]);
    await times(10, (i) => pay(either(i), session, 1));
    expect(await announced(session)).toEqual([fact, fact]);
  });

  it('is one of zero, too, but not a session without a grant', async () => {
    const zero = await here.session({ spend_limit: 0 });
    const none = await here.session({ scopes: ['read'] });
    for (const session of [zero, none]) expect((await pay(here, session, 1)).status).toBe(403);
    expect(await announced(zero)).toMatchObject([{ data: { spent: 0, limit: 0 } }]);
    expect(await announced(none)).toEqual([]);
  });
});

describe('the list of payments', () => {
  it('shows a tenant its own, by session and agent, in pages that lose none', async () => {
    const tenant = await world.newTenant();
    const sessions = await times(2, (i) => tenant.session({ agent_id: `agent ${i}`, scopes: ['spend'] }));
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      ids.push((await pay(tenant, sessions[i % 2] ?? '', 1, { description: `no ${i}` })).body.authorization_id);
    }
    interface Page {
      payments: { authorization_id: string }[];
      count: number;
      next_cursor: string | null;
    }
    const read = async (query: string): Promise<string[]> => {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body }: Reply<Page> = await tenant.get<Page>(`/v1/payments?limit=5${query}${more}`);
        expect(body.count).toBe(body.payments.length);
        seen.push(...body.payments.map(({ authorization_id }) => authorization_id));
        cursor = body.next_cursor;
        if (cursor === null) break;
        expect((await tenant.get(`/v1/payments?agent_id=nobody&cursor=${cursor}`)).status).toBe(400);
        expect((await here.get(`/v1/payments?cursor=${cursor}`)).status).toBe(400);
      }
      return seen.reverse();
    };
    const odd = ids.filter((_, i) => i % 2 === 1);
    expect(await read('')).toEqual(ids);
    expect(await read(`&session_id=${sessions[1]}`)).toEqual(odd);
    expect(await read('&agent_id=agent%201')).toEqual(odd);
    expect(await read(`&agent_id=agent%200&session_id=${sessions[1]}`)).toEqual([]);
    expect((await tenant.get<Page>('/v1/payments?limit=1')).body.payments).toEqual([
      {
        captured_amount: null,
        expires_at: null,
        settled_at: null,
        status: 'authorized',
        authorization_id: ids.at(-1),
        session_id: sessions[1],
        agent_id: 'agent 1',
        amount: 1,
        currency: 'USD',
        usd_value: 1,
        fx_rate: null,
        description: 'no 11',
        timestamp: expect.any(Number),
      },
    ]);
    const stranger = await world.newTenant();
    expect((await stranger.get('/v1/payments')).body).toMatchObject({ payments: [], count: 0 });
    expect((await stranger.get(`/v1/payments?session_id=${sessions[0]}`)).body).toMatchObject({ count: 0 });
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['payments:read'] });
    const reader = new Client(tenant.url, body.key);
    expect((await reader.get('/v1/payments')).status).toBe(200);
    expect((await pay(reader, sessions[0] ?? '', 1)).body).toMatchObject({ required: 'payments:write' });
  });
});
