import { type Client, eventually, type Reply, startWorker, times } from '@haldir/test-support';
import fc from 'fast-check';
import { type Body, moneyWorld } from './money.js';

const here = moneyWorld();
const { hold, held, capture, release, pay, budget } = here;

describe('a hold', () => {
  it('sets its amount aside, and what is captured of it is spent, the rest free again', async () => {
    const session = await here.tenant.session({ spend_limit: 100 });
    const id = await held(session, 60.5, { description: 'a night of compute' });
    expect(await budget(session)).toEqual({ spent: 0, held: 60.5, remaining: 39.5 });
    expect((await pay(session, 39.51)).status).toBe(403);
    expect((await hold(session, 39.51)).body).toMatchObject({ authorized: false, remaining_budget: 39.5 });

    const captured = await capture(id, { amount: 20.25 });
    expect([captured.status, captured.body]).toEqual([
      200,
      {
        authorization_id: id,
        status: 'captured',
        session_id: session,
        captured_amount: 20.25,
        released_amount: 40.25,
        currency: 'USD',
        remaining_budget: 79.75,
      },
    ]);
    expect(await budget(session)).toEqual({ spent: 20.25, held: 0, remaining: 79.75 });
    expect((await here.tenant.get(`/v1/payments/${id}`)).body).toMatchObject({
      authorization_id: id,
      status: 'captured',
      amount: 60.5,
      captured_amount: 20.25,
      description: 'a night of compute',
    });
    expect((await here.tenant.get('/v1/audit/spend')).body).toMatchObject({ payments: { total_usd: 20.25, count: 1 } });
  });

  it('is captured whole without an amount, and voided leaves nothing', async () => {
    const session = await here.tenant.session({ spend_limit: 10 });
    const [one, other] = [await held(session, 4), await held(session, 6)];
    expect(await budget(session)).toMatchObject({ remaining: 0 });
    expect((await capture(one)).body).toMatchObject({ captured_amount: 4, released_amount: 0 });
    expect((await release(other)).body).toMatchObject({ status: 'voided', captured_amount: null, released_amount: 6 });
    expect(await budget(session)).toEqual({ spent: 4, held: 0, remaining: 6 });
    const actions = (await here.tenant.get<{ entries: Body[] }>(`/v1/audit?session_id=${session}`)).body.entries.map(
      ({ action }) => action,
    );
    expect(actions).toEqual(['payment_voided', 'payment_captured', 'payment_held', 'payment_held', 'session_created']);
  });

  it('is settled once, whoever races to do it over two processes', async () => {
    const session = await here.tenant.session({ spend_limit: 100 });
    const id = await held(session, 50);
    const replies = await times(20, (i) => {
      const client = i % 2 ? here.tenant : here.tenant.at(here.there);
      return i % 3 === 0 ? release(id, client) : capture(id, { amount: i }, client);
    });
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(19);
    expect(replies.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'hold_not_open' });
  });

  it.each([
    [{ amount: 0 }, 'amount'],
    [{ amount: -1 }, 'amount'],
    [{ amount: 5.01 }, 'amount'],
    [{ amount: 1.001 }, 'amount'],
    [{ amount: '1' }, 'amount'],
  ])('refuses to be captured with %j', async (body, field) => {
    const session = await here.tenant.session({ spend_limit: 10 });
    const reply = await capture(await held(session, 5), body);
    expect([reply.status, String(reply.body['error']).split(':')[0]]).toEqual([400, field]);
  });

  it.each([
    [{ ttl: 0 }, 'ttl'],
    [{ ttl: 604_801 }, 'ttl'],
    [{ ttl: 1.5 }, 'ttl'],
    [{ amount: 1.001 }, 'amount'],
    [{ currency: 'XXX' }, 'currency'],
  ])('refuses to be made with %j', async (fault, field) => {
    const reply = await here.tenant.post('/v1/payments/hold', {
      session_id: await here.tenant.session({ spend_limit: 10 }),
      amount: 1,
      ...fault,
    });
    expect([reply.status, String(reply.body['error']).split(':')[0]]).toEqual([400, field]);
  });

  it('is nobody else’s', async () => {
    const stranger = await here.world.newTenant();
    const id = await held(await here.tenant.session({ spend_limit: 10 }), 5);
    expect((await capture(id, {}, stranger)).status).toBe(404);
    expect((await release(id, stranger)).status).toBe(404);
    expect((await stranger.get(`/v1/payments/${id}`)).status).toBe(404);
    expect((await capture('pay_nothing')).status).toBe(404);
    expect((await here.tenant.get<Body>('/v1/payments?status=held')).body).toMatchObject({ count: 1 });
    expect((await here.tenant.get<Body>('/v1/payments?status=captured')).body).toMatchObject({ count: 0 });
  });

  it('of a payment at once is none', async () => {
    const session = await here.tenant.session({ spend_limit: 10 });
    const id = String((await pay(session, 5)).body['authorization_id']);
    expect((await capture(id)).status).toBe(409);
    expect((await release(id)).body).toMatchObject({ error: 'The payment is authorized, not held' });
  });

  it('in another currency comes to dollars at the rate it was held at, rounded up', async () => {
    const session = await here.tenant.session({ spend_limit: 100 });
    const id = await held(session, 10.01, { currency: 'EUR' });
    expect(await budget(session)).toMatchObject({ held: 10.8108 });
    expect((await capture(id, { amount: 3.33 })).body).toMatchObject({ currency: 'EUR', released_amount: 6.68 });
    expect(await budget(session)).toMatchObject({ spent: 3.5964, held: 0 });
  });

  it('cannot be captured once its time is up, and is free again when a worker has noted it', async () => {
    const session = await here.tenant.session({ spend_limit: 10 });
    const id = await held(session, 10, { ttl: 1 });
    expect((await pay(session, 1)).status).toBe(403);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await capture(id)).body).toMatchObject({ error: 'The payment is expired, not held' });
    expect((await here.tenant.get(`/v1/payments/${id}`)).body).toMatchObject({ status: 'expired', settled_at: null });
    const worker = await startWorker(here.world.environment);
    try {
      await eventually(async () => expect(await budget(session)).toEqual({ spent: 0, held: 0, remaining: 10 }));
    } finally {
      await worker.stop();
    }
    expect((await here.tenant.get<Body>('/v1/payments?status=expired')).body).toMatchObject({ count: 1 });
    expect((await pay(session, 10)).status).toBe(200);
  });

  it('of a revoked session can only be voided', async () => {
    const session = await here.tenant.session({ spend_limit: 10 });
    const id = await held(session, 5);
    await here.tenant.delete(`/v1/sessions/${session}`);
    expect((await capture(id)).body).toMatchObject({ code: 'session_revoked' });
    expect((await release(id)).status).toBe(200);
  });

  it('waits for approval as a payment does', async () => {
    await here.tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 5 });
    const session = await here.tenant.session({ spend_limit: 100 });
    const waiting = await hold(session, 50);
    expect([waiting.status, waiting.body['reason']]).toEqual([403, 'approval required']);
    await here.tenant.post(`/v1/approvals/${String(waiting.body['request_id'])}/approve`);
    // What was approved is the hold, not a payment at once.
    expect((await pay(session, 50)).body).toMatchObject({ reason: 'approval required' });
    await held(session, 50);
  });

  it('and 20 retries of it under one Idempotency-Key are one', async () => {
    const session = await here.tenant.session({ spend_limit: 100 });
    const body = { session_id: session, amount: 30 };
    const replies = await times(20, (i) =>
      (i % 2 ? here.tenant : here.tenant.at(here.there)).post('/v1/payments/hold', body, { 'idempotency-key': 'h' }),
    );
    expect(new Set(replies.map((reply) => JSON.stringify(reply.body))).size).toBe(1);
    expect(await budget(session)).toMatchObject({ held: 30 });
  });
});

describe('racing payments and holds over two processes', () => {
  it('never exceed the budget together', async () => {
    const session = await here.tenant.session({ spend_limit: 50 });
    const replies = await times(200, (i) => {
      const client = i % 2 ? here.tenant : here.tenant.at(here.there);
      return i % 4 < 2 ? pay(session, 1, client) : hold(session, 1, {}, client);
    });
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(50);
    const { spent, held: aside } = await budget(session);
    expect(Number(spent) + Number(aside)).toBe(50);
  });

  it('of many sessions wait for each other, and never for good', async () => {
    const sessions = await times(40, () => here.tenant.session({ scopes: ['spend'] }));
    // Under a key each is a transaction of its own, beside the others.
    const payAlone = (session: string, key: string, client: Client): Promise<Reply> =>
      client.post('/v1/payments/authorize', { session_id: session, amount: 1 }, { 'idempotency-key': key });
    for (let round = 0; round < 5; round++) {
      const ids = await Promise.all(sessions.slice(0, 20).map((session) => held(session, 1)));
      const replies = await times(40, (i) => {
        const client = i % 4 < 2 ? here.tenant : here.tenant.at(here.there);
        return i % 2
          ? capture(String(ids[(i - 1) / 2]), undefined, client)
          : payAlone(String(sessions[20 + i / 2]), `${round}-${i}`, client);
      });
      expect(replies.map(({ status, body }) => (status === 200 ? 200 : body))).toEqual(replies.map(() => 200));
    }
  });
});

describe('any sequence of payments, holds, captures and voids', () => {
  /** What a session's money is, as simply as it can be said. */
  class Model {
    spent = 0;
    readonly open = new Map<string, number>();
    constructor(readonly limit: number) {}
    get held(): number {
      return [...this.open.values()].reduce((sum, amount) => sum + amount, 0);
    }
    get left(): number {
      return this.limit - this.spent - this.held;
    }
  }
  interface Real {
    session: string;
    ids: string[];
  }
  type Command = fc.AsyncCommand<Model, Real>;
  const cents = (amount: number): number => amount / 100;

  class Pay implements Command {
    constructor(readonly amount: number) {}
    check = () => true;
    async run(model: Model, { session }: Real): Promise<void> {
      const { status, body } = await pay(session, cents(this.amount));
      expect(status).toBe(this.amount <= model.left ? 200 : 403);
      if (status === 200) model.spent += this.amount;
      expect(body['remaining_budget']).toBe(cents(model.left));
    }
    toString = (): string => `pay ${this.amount}`;
  }
  class Hold implements Command {
    constructor(readonly amount: number) {}
    check = () => true;
    async run(model: Model, real: Real): Promise<void> {
      const { status, body } = await hold(real.session, cents(this.amount));
      expect(status).toBe(this.amount <= model.left ? 200 : 403);
      if (status !== 200) return;
      model.open.set(String(body['authorization_id']), this.amount);
      real.ids.push(String(body['authorization_id']));
    }
    toString = (): string => `hold ${this.amount}`;
  }
  class Settle implements Command {
    constructor(
      readonly which: number,
      readonly share: number | null,
    ) {}
    check = (): boolean => true;
    async run(model: Model, { ids }: Real): Promise<void> {
      const id = ids[this.which % Math.max(1, ids.length)];
      if (id === undefined) return;
      const amount = model.open.get(id);
      const part = Math.max(1, Math.floor(((amount ?? 1) * (this.share ?? 0)) / 100));
      const reply = this.share === null ? await release(id) : await capture(id, { amount: cents(part) });
      expect(reply.status).toBe(amount === undefined ? 409 : 200);
      if (amount === undefined) return;
      model.open.delete(id);
      if (this.share !== null) model.spent += part;
      expect(reply.body['remaining_budget']).toBe(cents(model.left));
    }
    toString = (): string =>
      this.share === null ? `void #${this.which}` : `capture ${this.share} % of #${this.which}`;
  }

  it('leaves what the simplest model says', async () => {
    const amount = fc.integer({ min: 1, max: 4000 });
    await fc.assert(
      fc.asyncProperty(
        fc.commands(
          [
            amount.map((n) => new Pay(n)),
            amount.map((n) => new Hold(n)),
            fc
              .tuple(fc.nat(30), fc.option(fc.integer({ min: 1, max: 100 })))
              .map(([which, share]) => new Settle(which, share)),
          ],
          { maxCommands: 25 },
        ),
        async (commands) => {
          const session = await here.tenant.session({ spend_limit: 100 });
          const model = new Model(10_000);
          await fc.asyncModelRun(() => ({ model, real: { session, ids: [] } }), commands);
          expect(await budget(session)).toEqual({
            spent: cents(model.spent),
            held: cents(model.held),
            remaining: cents(model.left),
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});
