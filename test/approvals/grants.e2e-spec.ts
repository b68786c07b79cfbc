// Approvals of several calls alike.
import {
  type Client,
  type FakeUpstream,
  personOf,
  type Reply,
  saying,
  Scenario,
  startWorld,
  type World,
} from '@haldir/test-support';

type Json = Record<string, unknown>;

let world: World;
let scenario: Scenario<FakeUpstream>;
let tenant: Client;
beforeAll(async () => {
  world = await startWorld({ processes: 3 });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scenario = await Scenario.of(world, ['pay', 'send_mail', 'look']);
  ({ tenant } = scenario);
  await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['pay', 'send_mail'] });
});
afterEach(() => scenario.end());

const HOUR = { uses: 3, ttl: 3600 };
const isThrough = ({ body }: Reply<{ content: { text: string }[] }>, tool: string): boolean =>
  body.content[0]?.text === tool;
/** The request that the call waits for; null for one that is let through. */
async function held(args: Json, tool = 'pay', session = scenario.session): Promise<string | null> {
  const answer = await scenario.call(`up.${tool}`, args, { session });
  return isThrough(answer, tool) ? null : String(saying(answer)['request_id']);
}
const grant = (id: string | null, terms: Json, by: Client = tenant): Promise<Reply> =>
  by.post(`/v1/approvals/${String(id)}/approve`, { grant: { ...HOUR, ...terms } });
/** A grant by the approval of a call with these arguments. */
async function granted(args: Json, terms: Json = {}, tool = 'pay'): Promise<string> {
  const { status, body } = await grant(await held(args, tool), terms);
  expect([status, body]).toEqual([200, expect.anything()]);
  return String(body['grant_id']);
}
const detail = async (id: string): Promise<Json> => (await tenant.get(`/v1/approval-grants/${id}`)).body;

describe('a grant', () => {
  it('of three is used three times by fifty calls at once over three processes, the one that waited included', async () => {
    const waited = await held({ to: 'ann', text: 'first' });
    const { body } = await grant(waited, { free_arguments: ['text'] });
    expect(body).toEqual({ approved: true, request_id: waited, grant_id: expect.stringMatching(/^grt_/) });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => scenario.call('up.pay', { to: 'ann', text: `no. ${i}` }, { by: scenario.at(i) })),
    );
    expect(answers.filter((answer) => isThrough(answer, 'pay'))).toHaveLength(3);
    expect(scenario.up.calls).toHaveLength(3);
    expect(await held({ to: 'ann', text: 'first' })).not.toBe(waited);
    const id = String(body['grant_id']);
    expect(await detail(id)).toMatchObject({ state: 'used', used: 3, uses: 3, spent: 0, total_amount: null });
    const used = await scenario.entries('approval_grant_used');
    expect(used.map(({ details }) => [details['grant_id'], details['used']])).toEqual([[id, 3], [id, 2], [id, 1]]);
    const calls = (await scenario.callEntries('up.pay')).filter(({ action }) => action === 'tool_call');
    expect(calls.map(({ details }) => details['approval'])).toEqual([id, id, id]);
    expect((await tenant.get(`/v1/approvals/${String(waited)}`)).body).toMatchObject({
      ...{ status: 'approved', grant_id: id, consumed: false, grantable_arguments: ['text', 'to'] },
    });
  }); // prettier-ignore

  it('is of calls with the same arguments, but for those that are free: none more, none fewer', async () => {
    await granted({ to: 'ann', text: 'x' }, { free_arguments: ['text'], uses: 10 });
    for (const args of [{ to: 'bob', text: 'x' }, { to: 'ann' }, { to: 'ann', text: 'x', cc: 'eve' }, {}])
      expect(await held(args)).toMatch(/^apr_/);
    expect(await held({ text: { any: ['thing'] }, to: 'ann' })).toBeNull();
  });

  it('of an amount in all is spent by no more than that by calls at once', async () => {
    await granted({ amount: 1, n: 0 }, { free_arguments: ['amount', 'n'], uses: 100, total_amount: 10 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => scenario.call('up.pay', { amount: 3, n }, { by: scenario.at(n) })),
    );
    expect(answers.filter((answer) => isThrough(answer, 'pay'))).toHaveLength(3);
  });

  it('goes behind what was decided of a call by itself: a denial since then, or an approval that is not used', async () => {
    const [first, denied, approved] = [await held({ n: 1 }), await held({ n: 2 }), await held({ n: 3 })];
    expect((await tenant.post(`/v1/approvals/${String(approved)}/approve`)).status).toBe(200);
    const { body } = await grant(first, { free_arguments: ['n'], uses: 5 });
    expect((await tenant.post(`/v1/approvals/${String(denied)}/deny`)).status).toBe(200);
    expect(await held({ n: 2 })).toMatch(/^apr_/);
    expect(await held({ n: 3 })).toBeNull();
    expect(await detail(String(body['grant_id']))).toMatchObject({ used: 0 });
    expect([await held({ n: 3 }), await held({ n: 4 })]).toEqual([null, null]);
    expect(await detail(String(body['grant_id']))).toMatchObject({ used: 2 });
  });

  it('is found among others of the same tool, the oldest that covers the call first', async () => {
    const waits = [];
    for (const to of ['ann', 'bob', 'ann']) waits.push(await held({ to, text: `x${waits.length}` }));
    const ids = [];
    for (const id of waits) {
      const { body } = await grant(id, { free_arguments: ['text'], uses: 1 });
      ids.push(String(body['grant_id']));
    }
    const through = [];
    for (const to of ['bob', 'ann', 'ann', 'ann']) through.push((await held({ to, text: 'y' })) === null);
    expect(through).toEqual([true, true, true, false]);
    for (const id of ids) expect(await detail(id)).toMatchObject({ used: 1 });
  });

  it('is of whoever asked: another key that names the agent waits', async () => {
    await granted({ a: 1 }, { uses: 10 });
    const other = await scenario.keyOf(['*']);
    const session = await other.session({ agent_id: 'agent', scopes: ['execute'] });
    expect(isThrough(await scenario.call('up.pay', { a: 1 }, { by: other, session }), 'pay')).toBe(false);
    expect(await held({ a: 1 })).toBeNull();
  });

  it('has no secret in an argument that may be anything', async () => {
    await tenant.post('/v1/secrets', { name: 'token', value: 'correct horse', bindings: [{ upstream: 'up' }] });
    await granted({ text: 'a' }, { free_arguments: ['text'] });
    const reader = await tenant.session({ agent_id: 'agent', scopes: ['execute', 'read'] });
    expect(await held({ text: 'the {{vault:token}}' }, 'pay', reader)).toMatch(/^apr_/);
    expect(await held({ text: 'b' })).toBeNull();
  });

  it('is signed where the tenant wants that by now, or lets nothing through', async () => {
    await granted({ a: 1 });
    await tenant.post('/v1/approvals/settings', { forbid_self_approval: false, require_signature_from: 0 });
    expect(await held({ a: 1 })).toMatch(/^apr_/);
    await tenant.post('/v1/approvals/settings', { forbid_self_approval: false, require_signature_from: null });
    expect(await held({ a: 1 })).toBeNull();
  });

  it('is of one tool and one agent, in any session of it', async () => {
    await granted({ a: 1 }, { uses: 10 });
    expect(await held({ a: 1 }, 'send_mail')).toMatch(/^apr_/);
    const other = await tenant.session({ agent_id: 'other', scopes: ['execute'] });
    expect(await held({ a: 1 }, 'pay', other)).toMatch(/^apr_/);
    const later = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
    expect(await held({ a: 1 }, 'pay', later)).toBeNull();
  });

  it('lets calls spend so much in all, and without an amount nothing', async () => {
    const id = await granted({ amount: 4, to: 'ann' }, { free_arguments: ['amount'], uses: 10, total_amount: 10 });
    expect([await held({ amount: 6, to: 'ann' }), await held({ amount: 4.000001, to: 'ann' })]).toEqual([
      null,
      expect.stringMatching(/^apr_/),
    ]);
    expect(await held({ amount: 'many', to: 'ann' })).toMatch(/^apr_/);
    expect(await held({ amount: 4, to: 'ann' })).toBeNull();
    expect(await held({ amount: 0.000001, to: 'ann' })).toMatch(/^apr_/);
    expect(await detail(id)).toMatchObject({ state: 'live', used: 2, spent: 10, total_amount: 10 });
    await granted({ amount: 0, to: 'bob' }, { free_arguments: ['amount'] });
    expect(await held({ amount: 1, to: 'bob' })).toMatch(/^apr_/);
  });

  it('is not of calls that something else holds back', async () => {
    await tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 100 });
    await granted({ amount: 5 }, { free_arguments: ['amount'], total_amount: 1000 });
    expect(await held({ amount: 500 })).toMatch(/^apr_/);
    expect(await held({ amount: 50 })).toBeNull();
  });

  it('approves a call that waits already once it is made again', async () => {
    const [one, other] = [await held({ a: 1, n: 1 }), await held({ a: 1, n: 2 })];
    const { body } = await grant(one, { free_arguments: ['n'] });
    expect((await tenant.get(`/v1/approvals/${String(other)}`)).body).toMatchObject({ status: 'pending' });
    expect(await held({ a: 1, n: 2 })).toBeNull();
    expect((await tenant.get(`/v1/approvals/${String(other)}`)).body).toMatchObject({
      ...{ status: 'approved', grant_id: body['grant_id'], consumed: true },
    });
    expect((await tenant.get('/v1/approvals/pending')).body).toMatchObject({ count: 0 });
  });

  it('is not used by a call that cannot be paid for', async () => {
    const session = await tenant.session({ agent_id: 'agent', scopes: ['execute'], spend_limit: 1 });
    await tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: 2 });
    // What it costs is a part of what it spends.
    const id = await granted({ a: 1 }, { total_amount: 10 });
    const { body } = await scenario.call('up.pay', { a: 1 }, { session });
    expect(body.code).toBe('insufficient_budget');
    expect(await detail(id)).toMatchObject({ used: 0 });
    const rich = await tenant.session({ agent_id: 'agent', scopes: ['execute', 'spend'] });
    expect(await held({ a: 1 }, 'pay', rich)).toBeNull();
    expect(await detail(id)).toMatchObject({ used: 1, spent: 2 });
  });
});

describe('a grant ends', () => {
  const ends: [string, (id: string) => Promise<unknown>, string][] = [
    ['when it is revoked', (id) => tenant.delete(`/v1/approval-grants/${id}`), 'revoked'],
    ['when its agent is frozen', async () => {
      const { body } = await tenant.post('/v1/agents/agent/freeze', { reason: 'odd' });
      expect(body).toMatchObject({ revoked_grants: 1 });
      await tenant.post('/v1/agents/agent/unfreeze');
    }, 'revoked'],
    ['when its time is up', (id) => world.sql(`UPDATE approval_grant SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]), 'expired'],
    ['when a policy is added', () => scenario.policy('block_tool', { tool: 'other' }), 'live'],
    ['when a rule is added', () => tenant.post('/v1/approvals/rules', { type: 'spend_over', threshold: 9 }), 'live'],
    ['when its tool has a price', () => tenant.put('/v1/proxy/upstreams/up/tools/pay/price', { price_usd: 1 }), 'live'],
    ['when its upstream is registered anew', () => scenario.register('up', scenario.up.url, { headers: { 'x-a': 'b' } }), 'live'],
  ]; // prettier-ignore
  it.each(ends)('%s', async (_, end, state) => {
    const id = await granted({ a: 1 });
    expect(await held({ a: 1 })).toBeNull();
    await end(id);
    expect(await held({ a: 1 })).toMatch(/^apr_/);
    expect(await detail(id)).toMatchObject({ state, used: 1 });
  });
});

describe('calls of destructive tools', () => {
  it('are each approved, unless the tenant says otherwise, and once it takes that back', async () => {
    const waits = await held({ to: 'ann' }, 'send_mail');
    const { status, body } = await grant(waits, {});
    expect([status, body]).toMatchObject([400, { code: 'grant_not_possible' }]);
    const preview = await tenant.post(`/v1/approvals/${String(waits)}/grant-preview`, { grant: HOUR });
    expect([preview.status, preview.body]).toMatchObject([400, { code: 'grant_not_possible' }]);
    expect((await tenant.get(`/v1/approvals/${String(waits)}`)).body).toMatchObject({ status: 'pending' });
    const set = (destructive_grants: boolean): Promise<Reply> =>
      tenant.post('/v1/approvals/settings', { forbid_self_approval: false, destructive_grants });
    expect((await set(true)).body).toMatchObject({ destructive_grants: true });
    expect((await grant(waits, {})).status).toBe(200);
    expect(await held({ to: 'ann' }, 'send_mail')).toBeNull();
    await set(false);
    expect(await held({ to: 'ann' }, 'send_mail')).toMatch(/^apr_/);
  });
});

describe('whoever gives a grant', () => {
  it('is told what it would have let through', async () => {
    for (const [to, text] of [['ann', 'a'], ['ann', 'b'], ['ann', 'c'], ['bob', 'd']]) await held({ to, text });
    const waits = await held({ to: 'ann', text: 'e' });
    const preview = async (terms: Json): Promise<Reply> =>
      tenant.post(`/v1/approvals/${String(waits)}/grant-preview`, { grant: { ...HOUR, ...terms } });
    expect((await preview({})).body).toEqual({ days: 7, waited: 5, alike: 1, let_through: 1 });
    expect((await preview({ free_arguments: ['text'] })).body).toMatchObject({ alike: 4, let_through: 3 });
    expect((await preview({ free_arguments: ['text', 'to'], uses: 9 })).body).toMatchObject({ alike: 5, let_through: 5 });
    expect((await tenant.get('/v1/approval-grants')).body).toEqual({ count: 0, grants: [], next_cursor: null });
  }); // prettier-ignore

  it('is told what is wrong with it, and nothing is decided', async () => {
    const waits = await held({ amount: 5, to: 'ann' });
    const wrong: [Json, string | undefined][] = [
      [{ uses: 0 }, 'grant.uses'],
      [{ uses: 1001 }, 'grant.uses'],
      [{ ttl: 59 }, 'grant.ttl'],
      [{ ttl: 2_592_001 }, 'grant.ttl'],
      [{ free_arguments: 'to' }, 'grant.free_arguments'],
      [{ free_arguments: ['cc'], total_amount: 5 }, 'grant.free_arguments'],
      [{}, 'grant.total_amount'],
      [{ total_amount: 4.99 }, 'grant.total_amount'],
      [{ totalamount: 5 }, 'grant.totalamount'],
      [{ tools: ['pay'] }, 'grant'],
    ];
    for (const [terms, field] of wrong) {
      const { status, body } = await grant(waits, terms);
      expect([terms, status, body]).toMatchObject([terms, 400, { field }]);
    }
    const { body: asked } = await tenant.post('/v1/approvals/request', { session_id: scenario.session, tool: 'pay' });
    expect((await grant(String(asked['request_id']), {})).body).toMatchObject({ code: 'grant_not_possible' });
    expect((await tenant.get(`/v1/approvals/${String(waits)}`)).body).toMatchObject({ status: 'pending' });
    expect(await scenario.entries('approval_approved')).toEqual([]);
  });

  it('decides, and nobody else: reading is not enough, nor another tenant', async () => {
    const id = await granted({ a: 1 });
    const reader = await scenario.keyOf(['approvals:read']);
    const auditor = await personOf(tenant, 'auditor');
    for (const by of [reader, auditor]) {
      expect((await by.get(`/v1/approval-grants/${id}`)).status).toBe(200);
      expect((await by.delete(`/v1/approval-grants/${id}`)).status).toBe(403);
      expect((await grant(await held({ a: 2 }), {}, by)).status).toBe(403);
    }
    const stranger = await world.newTenant();
    for (const reply of [await stranger.get(`/v1/approval-grants/${id}`), await stranger.delete(`/v1/approval-grants/${id}`)])
      expect(reply.status).toBe(404);
    expect(await detail(id)).toMatchObject({ state: 'live' });
    expect((await tenant.delete(`/v1/approval-grants/${id}`)).body).toEqual({ revoked: true, grant_id: id });
    expect((await tenant.delete(`/v1/approval-grants/${id}`)).status).toBe(200);
    expect(await scenario.entries('approval_grant_revoked')).toHaveLength(1);
    const { body } = await tenant.get<{ grants: Json[] }>('/v1/approval-grants?state=ended&agent_id=agent');
    expect(body.grants).toMatchObject([{ grant_id: id, state: 'revoked', arguments: ['a'], free_arguments: [] }]);
    expect((await tenant.get('/v1/approval-grants?state=live')).body).toMatchObject({ count: 0 });
  }); // prettier-ignore
});
