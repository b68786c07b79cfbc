import { Client, eventually, type Reply, startWorker, times } from '@haldir/test-support';
import { type Body, moneyWorld } from './money.js';

const here = moneyWorld();
const { hold, held, capture, release, pay } = here;

const open = (parent: string, limit: number | null, more: Body = {}, client: Client = here.tenant): Promise<Reply> =>
  client.post('/v1/sessions', {
    ...{ agent_id: 'agent', scopes: ['read'], parent_session_id: parent },
    ...(limit === null ? {} : { spend_limit: limit }),
    ...more,
  });
const opened = async (parent: string, limit: number | null, more: Body = {}): Promise<string> => {
  const { status, body } = await open(parent, limit, more);
  expect(status).toBe(201);
  return String(body['session_id']);
};
/** What the session says of its money. */
const books = async (session: string): Promise<unknown[]> => {
  const { body } = await here.tenant.get(`/v1/sessions/${session}`);
  return ['spent', 'held', 'delegated', 'remaining_budget'].map((name) => body[name]);
};

/** One that ends soon, with a hold in it that was made in time; how long that takes depends on the machine. */
async function heldInShort(root: string, limit: number, amount: number): Promise<[session: string, hold: string]> {
  for (let ttl = 2; ; ttl *= 2) {
    const session = await opened(root, limit, { ttl });
    const { status, body } = await hold(session, amount);
    if (status === 200) return [session, String(body['authorization_id'])];
    await here.tenant.delete(`/v1/sessions/${session}`);
  }
}

describe('the money of a session that is opened from another', () => {
  it('is held of what its parent may spend, from its opening on', async () => {
    const root = await here.tenant.session({ spend_limit: 10 });
    const child = await opened(root, 6);
    expect([await books(root), await books(child)]).toEqual([
      [0, 0, 6, 4],
      [0, 0, 0, 6],
    ]);
    expect((await pay(root, 4.01)).body).toMatchObject({ authorized: false, remaining_budget: 4 });
    expect((await pay(child, 6.01)).body).toMatchObject({ authorized: false, remaining_budget: 6 });
    expect((await pay(child, 2.5)).body).toMatchObject({ authorized: true, remaining_budget: 3.5 });
    expect([await books(root), await books(child)]).toEqual([
      [0, 0, 6, 4],
      [2.5, 0, 0, 3.5],
    ]);
    for (const limit of [4.01, 1_000])
      expect(await open(root, limit)).toMatchObject({
        ...{ status: 403, body: { code: 'beyond_parent', field: 'spend_limit' } },
      });
    await opened(child, 3.5);
    expect([await books(root), await books(child)]).toEqual([
      [0, 0, 6, 4],
      [2.5, 0, 3.5, 0],
    ]);
  });

  it('is its parent’s again when it is ended, but for what was spent; and no more, however often that is done', async () => {
    const root = await here.tenant.session({ spend_limit: 10 });
    for (let i = 1; i <= 5; i++) {
      const child = await opened(root, 10 - (i - 1));
      expect((await pay(child, 1)).status).toBe(200);
      const ends = await times(4, (j) => (j % 2 ? here.tenant : here.tenant.at(here.there)).delete(`/v1/sessions/${child}`));
      expect(ends.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(await books(root)).toEqual([0, 0, i, 10 - i]);
    }
    expect((await pay(root, 5.01)).status).toBe(403);
    expect((await pay(root, 5)).status).toBe(200);
    expect((await here.tenant.get('/v1/audit/spend')).body).toMatchObject({ payments: { total_usd: 10, count: 6 } });
  }); // prettier-ignore

  it('stays held where it is held for a payment, and is its parent’s once that is given back', async () => {
    const root = await here.tenant.session({ spend_limit: 10 });
    const child = await opened(root, 8);
    const leaf = await opened(child, 6);
    const id = await held(leaf, 5);
    expect((await here.tenant.delete(`/v1/sessions/${child}`)).status).toBe(200);
    expect(await books(root)).toEqual([0, 0, 5, 5]);
    expect((await capture(id)).body).toMatchObject({ code: 'session_revoked' });
    expect((await release(id)).status).toBe(200);
    expect(await books(root)).toEqual([0, 0, 0, 10]);
  });

  it('comes back by itself when its time is up, and what is captured after that is spent of its parent’s', async () => {
    const worker = await startWorker(here.world.environment);
    try {
      const root = await here.tenant.session({ spend_limit: 10 });
      const [child, kept] = await heldInShort(root, 4, 3);
      const [, back] = await heldInShort(root, 5, 2);
      await eventually(async () => expect(await books(root)).toEqual([0, 0, 5, 5]), 60_000);
      expect((await capture(kept, { amount: 1.5 })).status).toBe(200);
      expect(await books(root)).toEqual([0, 0, 3.5, 6.5]);
      expect((await release(back)).status).toBe(200);
      expect(await books(root)).toEqual([0, 0, 1.5, 8.5]);
      const { body } = await here.tenant.get<{ entries: Body[] }>(`/v1/audit?session_id=${child}`);
      expect(body.entries.map(({ action }) => action)).toEqual([
        ...['payment_captured', 'session_expired', 'payment_held', 'session_created'],
      ]);
    } finally {
      await worker.stop();
    }
  });

  it('is not captured in one whose time was up, once what it was opened from is revoked', async () => {
    const root = await here.tenant.session({ spend_limit: 10 });
    const [child, id] = await heldInShort(root, 4, 3);
    // Its time is up.
    await eventually(async () => expect((await hold(child, 0.01)).status).toBe(401), 60_000);
    expect((await here.tenant.delete(`/v1/sessions/${root}`)).status).toBe(200);
    expect((await capture(id)).body).toMatchObject({ code: 'session_revoked' });
    expect((await release(id)).status).toBe(200);
  });

  it('is no more than its parent has, however many are opened at once over two processes', async () => {
    const root = await here.tenant.session({ spend_limit: 10 });
    const replies = await times(20, (i) => open(root, 3, {}, i % 2 ? here.tenant : here.tenant.at(here.there)));
    expect(replies.map(({ status }) => status).sort()).toEqual([...Array<number>(3).fill(201), ...Array<number>(17).fill(403)]);
    expect(await books(root)).toEqual([0, 0, 9, 1]);
  }); // prettier-ignore

  it('is taken once under an Idempotency-Key', async () => {
    const root = await here.tenant.session({ spend_limit: 10 });
    const body = { agent_id: 'agent', scopes: ['read'], spend_limit: 4, parent_session_id: root };
    const replies = await times(2, () => here.tenant.post('/v1/sessions', body, { 'idempotency-key': 'once' }));
    const again = await here.tenant.post('/v1/sessions', body, { 'idempotency-key': 'once' });
    expect(again.status).toBe(201);
    for (const reply of replies.filter(({ status }) => status === 201)) expect(reply.body).toEqual(again.body);
    expect(await books(root)).toEqual([0, 0, 4, 6]);
  });

  it('is nothing where none is asked for and the parent has a limit; and of one without a limit it is what is asked for', async () => {
    const limited = await here.tenant.session({ spend_limit: 10 });
    for (const limit of [undefined, null])
      expect((await open(limited, null, { spend_limit: limit })).body).toMatchObject({ field: 'spend_limit' });
    const free = await here.tenant.session({ scopes: ['read', 'spend'] });
    const child = await opened(free, 5, { scopes: ['spend'] });
    expect(await books(free)).toEqual([0, 0, 0, null]);
    expect((await pay(child, 5.01)).status).toBe(403);
    expect((await pay(await opened(free, null), 1)).body).toMatchObject({ authorized: false });
    expect((await pay(await opened(free, null, { scopes: ['spend'] }), 1)).status).toBe(200);
    const poor = await here.tenant.session({ scopes: ['read'] });
    expect((await open(poor, 0.01)).body).toMatchObject({ code: 'beyond_parent', field: 'spend_limit' });
  });

  it('counts once to the budgets of its agent and tenant, and to the standing budget of each key above it', async () => {
    const agent = { agent_id: 'agent', scopes: ['read', 'spend'], ttl: 3600, spend_limit: 5 };
    const { body: key } = await here.tenant.post<{ key: string }>('/v1/keys', { name: 'a', agent });
    await here.tenant.post('/v1/budgets', { scope: 'agent', agent_id: 'agent', limit: 8 });
    const root = await new Client(here.tenant.url, key.key).session({ scopes: ['read', 'spend'] });
    // Opened by the operator, who is bound by nothing, and acts in it.
    const child = await opened(root, null, { scopes: ['spend'] });
    const leaf = await opened(child, 20, { scopes: ['spend'] });
    expect((await pay(leaf, 3)).body).toMatchObject({ authorized: true, remaining_budget: 2 });
    expect((await pay(root, 2.01)).status).toBe(403);
    expect((await pay(child, 2)).body).toMatchObject({ authorized: true, remaining_budget: 0 });
    expect((await pay(leaf, 0.01)).body).toMatchObject({ authorized: false });
    const { body } = await here.tenant.get<{ budgets: Body[] }>('/v1/budgets');
    expect(body.budgets).toMatchObject([{ spent: 5 }]);
  });
});
