import {
  type Client,
  type FakeUpstream,
  type Reply,
  startFakeUpstream,
  startWorld,
  text,
  type World,
} from '@haldir/test-support';

let world: World;
let upstream: FakeUpstream;
let tenant: Client;
let session: string;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  upstream = await startFakeUpstream('pay', 'look');
  tenant = await world.newTenant();
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  session = await tenant.session({ scopes: ['read', 'execute', 'spend'], spend_limit: 1_000 });
});
afterEach(() => upstream.stop());

/** What reads as a thousand to somebody, and as no plain number to a policy. */
const UNCLEAR: [string, string][] = [
  ['an exponent of many digits', '"1e00003"'],
  ['hexadecimal digits', '"0x3e8"'],
  ['a comma', '"1,000"'],
  ['a currency', '"$1000"'],
  ['digits of another width', '"１０００"'],
  ['a list', '[1000]'],
  ['an object', '{"value":1000}'],
  ['a secret', '"{{vault:big}}"'],
  ['an exponent beyond counting', '1e99999'],
];
const OVER: [string, string][] = [
  ['a number a little over', '5.00000000000000000000000001'],
  ['a number beyond a double', '1e400'],
  ['a text', '"1000"'],
  ['a text with an exponent', '" +1e3 "'],
];
const call = (amount: string | null, tool = 'pay'): Promise<Reply> =>
  tenant.post(
    '/v1/proxy/call',
    `{"tool":"up.${tool}","session_id":"${session}","arguments":{${amount === null ? '' : `"amount":${amount}`}}}`,
  );
const storeSecret = (): Promise<Reply> =>
  tenant.post('/v1/secrets', { name: 'big', value: '1000000000', bindings: [{ upstream: 'up', tool: 'pay' }] });

describe('a policy that limits amounts', () => {
  beforeEach(async () => {
    await storeSecret();
    await tenant.post('/v1/proxy/policies', { type: 'spend_limit', max: 5 });
  });

  it.each([...UNCLEAR, ...OVER])('refuses a call whose amount is %s', async (_, amount) => {
    const reply = await call(amount);
    expect([reply.status, upstream.calls.length]).toEqual([403, 0]);
    expect(JSON.stringify(reply.body)).toContain('spend_limit');
  });

  it('lets through plain numbers at its limit, as numbers or as texts, and calls without an amount', async () => {
    for (const amount of ['5', '5.0', '50e-1', '"5.00"', '-7', 'null', null, '4.99999999999999999999999999'])
      expect([amount, (await call(amount)).status]).toEqual([amount, 200]);
  });

  it('counts the price of the tool', async () => {
    await tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: 5.01 });
    expect([(await call(null)).status, (await call('-5')).status]).toEqual([403, 403]);
    await tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: 0.5 });
    expect([(await call('4.5')).status, (await call('4.51')).status]).toEqual([200, 403]);
  });

  it('decides past calls as it decided them', async () => {
    for (const amount of ['"1,000"', '1e400', '5', '5.00000000000000000000000001']) await call(amount);
    const { body } = await tenant.post('/v1/proxy/simulate', {});
    expect(body).toMatchObject({ calls: 4, changes: 0, verdicts: { allowed: 1, blocked: 3 } });
  });
});

describe('a rule that holds back what is over an amount', () => {
  beforeEach(async () => {
    await storeSecret();
    await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 5 });
  });

  it.each([...UNCLEAR, ...OVER])('lets no call pass whose amount is %s, without a human', async (_, amount) => {
    const reply = await call(amount);
    expect(JSON.stringify(reply.body)).toContain('approval_required');
    expect(upstream.calls).toEqual([]);
  });

  it('counts the price of the tool', async () => {
    upstream.answer = () => text('paid');
    await tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: 50 });
    expect(JSON.stringify((await call(null)).body)).toContain('approval_required');
    expect(upstream.calls).toEqual([]);
    expect(JSON.stringify((await call(null, 'look')).body)).toContain('paid');
  });
});

describe('money as programs compute it', () => {
  const cost = async (costUsd: string): Promise<unknown> => {
    const logged = await tenant.post('/v1/audit', `{"session_id":"${session}","action":"use","cost_usd":${costUsd}}`);
    const { body } = await tenant.get<{ entries: { cost_usd: number }[] }>('/v1/audit?limit=1');
    return logged.status === 201 ? body.entries[0]?.cost_usd : logged.status;
  };

  it.each([
    ['0.013170000000000001', 0.01317],
    ['0.0000005', 0],
    ['0.0000015', 0.000002],
    ['0.0000025', 0.000002],
    ['0.00000250000000000000000001', 0.000003],
    ['1e-9', 0],
    ['1.0', 1],
  ])('is rounded half to even to the micro-dollar where it is a cost: %s', async (sent, kept) => {
    expect(await cost(sent)).toBe(kept);
  });

  it.each([
    ['amount', { amount: 3 * 1.1 }, { amount: 3.3 }],
    ['currency', { amount: 5, currency: 'usd' }, { amount: 5, currency: 'USD' }],
    ['amount in yen', { amount: 0.1 * 30, currency: 'jpy' }, { amount: 3, currency: 'JPY' }],
  ])('is the amount that is meant when it is paid: %s', async (_, sent, paid) => {
    const unlimited = await tenant.session({ scopes: ['spend'] });
    const { body } = await tenant.post('/v1/payments/authorize', { session_id: unlimited, ...sent });
    expect(body).toMatchObject({ authorized: true, ...paid });
  });

  it('is the amount that is meant at every place where Haldir takes one', async () => {
    const computed = 3 * 1.1;
    const held = await tenant.post('/v1/payments/hold', { session_id: session, amount: computed, currency: 'usd' });
    const capture = `/v1/payments/${String(held.body['authorization_id'])}/capture`;
    expect((await tenant.post(capture, { amount: computed })).body).toMatchObject({ captured_amount: 3.3 });
    const opened = await tenant.post('/v1/sessions', { agent_id: 'a', spend_limit: computed });
    expect(opened.body).toMatchObject({ spend_limit: 3.3 });
    const scoped = await tenant.post('/v1/sessions', { agent_id: 'a', scopes: [`spend:${computed}`] });
    expect(scoped.body).toMatchObject({ spend_limit: 3.3 });
    const price = await tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: computed });
    expect(price.body).toMatchObject({ price_usd: 3.3 });
    for (const [path, body] of [
      ['/v1/proxy/policies', { type: 'spend_limit', max: computed }],
      ['/v1/approvals/rules', { type: 'spend_over', threshold: computed }],
      ['/v1/audit/rules', { type: 'high_cost', max_usd: computed }],
      ['/v1/budgets', { scope: 'tenant', limit: computed }],
    ] as [string, object][])
      expect([path, (await tenant.post(path, body)).status < 300]).toEqual([path, true]);
  });

  it('that is further off than computing leaves it is refused by its name', async () => {
    for (const amount of ['3.300000002', '3.3000000010000000001', '3.301', '0.0000000001']) {
      const raw = `{"session_id":"${session}","amount":${amount}}`;
      const { status, body } = await tenant.post('/v1/payments/authorize', raw);
      expect([amount, status, String(body['error'])]).toEqual([amount, 400, expect.stringContaining('amount: ')]);
    }
  });
});
