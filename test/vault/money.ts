import { type AppProcess, type Client, type Reply, sharedWorld, type World } from '@haldir/test-support';

export type Body = Record<string, unknown>;

/** What is done with money, by whoever is the tenant at that time. */
function moneyOf(tenant: () => Client) {
  const hold = (session: string, amount: number, more: Body = {}, client = tenant()): Promise<Reply> =>
    client.post('/v1/payments/hold', { session_id: session, amount, ...more });
  const held = async (session: string, amount: number, more: Body = {}): Promise<string> => {
    const { status, body } = await hold(session, amount, more);
    expect([status, body['status']]).toEqual([200, 'held']);
    return String(body['authorization_id']);
  };
  const capture = (id: string, body?: Body, client = tenant()): Promise<Reply> =>
    client.post(`/v1/payments/${id}/capture`, body);
  const release = (id: string, client = tenant()): Promise<Reply> => client.post(`/v1/payments/${id}/void`);
  const pay = (session: string, amount: number, client = tenant()): Promise<Reply> =>
    client.post('/v1/payments/authorize', { session_id: session, amount });
  const budget = async (session: string): Promise<Body> => {
    const { body } = await tenant().get(`/v1/sessions/${session}`);
    return { spent: body['spent'], held: body['held'], remaining: body['remaining_budget'] };
  };
  return { hold, held, capture, release, pay, budget };
}

/** A shared world with a new tenant for each test of the file that asks; a test that leaves the books out of order fails. */
export function moneyWorld() {
  const here = {} as {
    world: World;
    tenant: Client;
    /** The second process. */
    there: AppProcess;
  };
  beforeAll(async () => {
    here.world = await sharedWorld();
    here.there = here.world.apis[1] as AppProcess;
  });
  beforeEach(async () => {
    here.tenant = await here.world.newTenant();
  });
  afterEach(async () => {
    expect(await here.world.sql('SELECT * FROM payment_fault')).toEqual([]);
  });
  return Object.assign(
    here,
    moneyOf(() => here.tenant),
  );
}
