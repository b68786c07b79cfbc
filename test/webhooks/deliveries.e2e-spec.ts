import { type Client, eventually, startFakeUpstream } from '@haldir/test-support';
import { type Endpoint, requestApproval, type Body, deliveryWorld } from './endpoint.js';

const PUBLIC_URL = 'https://haldir.example.com';

const here = deliveryWorld({ HALDIR_PUBLIC_URL: PUBLIC_URL });
const { register } = here;

describe('an event', () => {
  it('arrives signed, with its fields in data and at the top level', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await register(tenant, { events: ['approval_requested', 'budget_exhausted', 'anomaly'] });
    const request = await requestApproval(tenant, {
      ...{ tool: 'crm', action: 'drop', amount: 2.5, reason: 'because “so”', details: { to: 'dana' } },
    });
    const broke = await tenant.session({ agent_id: 'spender', spend_limit: 1 });
    await tenant.post('/v1/payments/authorize', { session_id: broke, amount: 1 });
    const dear = await tenant.session({ agent_id: 'dear' });
    const audited = await tenant.post('/v1/audit', { session_id: dear, tool: 'gpu', action: 'rent', cost_usd: 100.5 });
    expect(audited.body).toMatchObject({ flagged: true });

    const facts: Record<string, Body> = {
      approval_requested: {
        request_id: request,
        agent_id: 'asker',
        tool: 'crm',
        action: 'drop',
        amount: 2.5,
        reason: 'because “so”',
        details: '{"to":"dana"}',
        details_cut: false,
        page: `${PUBLIC_URL}/approvals/${request}`,
      },
      budget_exhausted: { session_id: broke, agent_id: 'spender', spent: 1, limit: 1 },
      anomaly: {
        entry_id: audited.body['entry_id'],
        session_id: dear,
        agent_id: 'dear',
        tool: 'gpu',
        action: 'rent',
        entry_source: 'agent',
        reason: expect.stringContaining('high_cost'),
        cost_usd: 100.5,
      },
    };
    const arrivals = await endpoint.received(3);
    expect(arrivals.map(({ body }) => body['event']).sort()).toEqual(Object.keys(facts).sort());
    for (const { body, headers, attempt, webhookId, id } of arrivals) {
      const event = String(body['event']);
      expect(body).toEqual({
        type: event,
        event,
        event_id: id,
        timestamp: expect.closeTo(Date.now() / 1000, -2),
        source: 'haldir',
        data: facts[event],
        ...facts[event],
      });
      expect([attempt, webhookId, headers['host']]).toEqual([1, endpoint.id, new URL(here.receiver.url('')).host]);
    }
    expect(await endpoint.attempts(3)).toMatchObject(
      Array(3).fill({ status: 'delivered', delivery_status: 'delivered' }),
    );
  });

  describe('of a call that waits for approval', () => {
    const details = (args: string): string => `{"upstream":"up","tool":"pay","arguments":${args}}`;
    /** Registers an upstream with a tool `pay` for a new tenant, with an endpoint and a session. */
    const payer = async (): Promise<{ tenant: Client; endpoint: Endpoint; call: (args: string) => Promise<void> }> => {
      const tenant = await here.world.newTenant();
      const endpoint = await register(tenant, { events: ['approval_requested'] });
      const upstream = await startFakeUpstream('pay');
      onTestFinished(() => upstream.stop());
      expect((await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url })).status).toBe(201);
      const session = await tenant.session({ agent_id: 'payer', scopes: ['execute'] });
      const call = async (args: string): Promise<void> => {
        const answer = await tenant.post(
          '/v1/proxy/call',
          `{"tool":"up.pay","session_id":"${session}","arguments":${args}}`,
        );
        expect(JSON.stringify(answer.body)).toMatch(/approval_required/);
        expect(upstream.calls).toEqual([]);
      };
      return { tenant, endpoint, call };
    };

    it('has the page that decides, the arguments as they were written, and the policy that asks', async () => {
      const { tenant, endpoint, call } = await payer();
      await tenant.post('/v1/secrets', {
        name: 'card',
        value: 'canary-4242',
        scope_required: 'execute',
        bindings: [{ upstream: 'up' }],
      });
      const policy = await tenant.post<{ id: string }>('/v1/proxy/policies', {
        ...{ type: 'require_approval', scope: { tools: ['up.pay'] } },
      });
      const args = '{"to":"dana\u202e","id":9007199254740993,"amount":1.50,"card":"{{vault:card}}"}';
      await call(args);
      const [arrival] = await endpoint.received(1);
      const id = String(arrival?.body['request_id']);
      const { id: policyId } = policy.body;
      expect(arrival?.body['data']).toEqual({
        ...{ request_id: id, agent_id: 'payer', tool: 'up.pay', action: 'tool_call', amount: 1.5 },
        reason: `the policy ${policyId} asks for approval of the call`,
        ...{ rule_id: policyId, rule: 'require_approval' },
        details: details(args.replace('\u202e', '\\\\u{202e}')),
        details_cut: false,
        page: `${PUBLIC_URL}/approvals/${id}`,
      });
      expect((await tenant.get(`/v1/approvals/${id}`)).body['details']).toBe(
        (arrival?.body['data'] as Body)['details'],
      );
      expect(arrival?.raw).not.toContain('canary-4242');
    });

    it('has the rule that asks, and the beginning of arguments that are long', async () => {
      const { tenant, endpoint, call } = await payer();
      const rule = await tenant.post<{ id: string }>('/v1/approvals/rules', {
        type: 'tool_blocked',
        tools: ['up.pay'],
      });
      // So that the cut would go through the middle of a character.
      const text = `${'x'.repeat(3999 - details('{"text":"').length + 1)}${'😀'.repeat(100)}`;
      await call(JSON.stringify({ text }));
      const [arrival] = await endpoint.received(1);
      const data = arrival?.body['data'] as Body;
      expect(data).toMatchObject({
        ...{ rule_id: rule.body.id, rule: 'tool_blocked', details_cut: true },
        reason: `the tool needs approval (approval rule ${rule.body.id})`,
      });
      const whole = (await tenant.get(`/v1/approvals/${String(data['request_id'])}`)).body['details'] as string;
      expect(whole.slice(3999, 4001)).toBe('😀');
      expect(data['details']).toBe(whole.slice(0, 3999));
    });
  });

  it('goes under one webhook-id to every endpoint that wants it, and to no other tenant’s', async () => {
    const tenant = await here.world.newTenant();
    const wanting = [
      await register(tenant),
      await register(tenant, { events: null }),
      await register(tenant, { events: ['all'] }),
      await register(tenant, { events: ['budget_exhausted', 'approval_requested', 'approval_requested'] }),
    ];
    const other = await register(tenant, { events: ['anomaly'] });
    const stranger = await register(await here.world.newTenant());
    expect(wanting.map(({ registered }) => registered['events'])).toEqual([
      ['all'],
      ['all'],
      ['all'],
      ['budget_exhausted', 'approval_requested'],
    ]);
    await requestApproval(tenant);
    const arrived = (await Promise.all(wanting.map((endpoint) => endpoint.received(1)))).map(([first]) => first);
    expect(new Set(arrived.map((arrival) => arrival?.id)).size).toBe(1);
    expect(new Set(arrived.map((arrival) => arrival?.raw)).size).toBe(1);
    await other.test();
    await other.received(1);
    expect(other.arrivals.map(({ body }) => body['event'])).toEqual(['webhook_test']);
    expect(stranger.arrivals).toEqual([]);
  });
});

describe('an endpoint that does not take a delivery', () => {
  it('is sent it again after five seconds, the same bytes under the same id, until it does', async () => {
    const tenant = await here.world.newTenant();
    const answers = [404, 302, 500, 400, 304, null] as const;
    const redirectedTo = here.receiver.url('redirected');
    const endpoints = await Promise.all(answers.map(() => register(tenant, { events: ['anomaly'] })));
    for (const [i, endpoint] of endpoints.entries()) {
      const status = answers[i] ?? null;
      here.receiver.answer(endpoint.path, ({ attempt }) =>
        attempt > 1 ? 200 : status === null ? null : { status, headers: { location: redirectedTo } },
      );
      await endpoint.test();
    }
    for (const [i, endpoint] of endpoints.entries()) {
      const [first, second] = await endpoint.received(2, 15_000);
      expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
      expect([second?.id, second?.raw]).toEqual([first?.id, first?.raw]);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(4400);
      const [later, earlier] = await endpoint.attempts(2);
      const status = answers[i] ?? null;
      expect(earlier).toMatchObject({
        attempt: 1,
        status: 'failed',
        status_code: status,
        error: status === null ? 'timeout' : 'status',
        delivery_status: 'delivered',
        next_attempt_at: null,
      });
      expect(later).toMatchObject({ attempt: 2, status: 'delivered', status_code: 200, error: null });
      await eventually(async () => expect(await endpoint.shown()).toMatchObject({ active: true, failing_since: null }));
    }
    expect(here.receiver.at('redirected')).toEqual([]);
  });

  it('is left alone as long as it asks, and for good after 410', async () => {
    const tenant = await here.world.newTenant();
    const [busy, gone] = [await register(tenant), await register(tenant)];
    here.receiver.answer(busy.path, () => ({ status: 429, headers: { 'retry-after': '90' } }));
    here.receiver.answer(gone.path, () => 410);
    await requestApproval(tenant);
    const [waiting] = await busy.attempts(1);
    expect(waiting).toMatchObject({ status: 'failed', status_code: 429, delivery_status: 'pending' });
    expect(waiting?.next_attempt_at).toBeCloseTo(Date.now() / 1000 + 90, -1);
    await eventually(async () =>
      expect(await busy.shown()).toMatchObject({
        active: true,
        failing_since: expect.any(Number),
        disabled_reason: null,
      }),
    );

    await eventually(async () => expect(await gone.shown()).toMatchObject({ active: false, disabled_reason: 'gone' }));
    expect(await gone.attempts(1)).toMatchObject([
      { status_code: 410, delivery_status: 'failed', next_attempt_at: null },
    ]);
    expect((await tenant.post(`/v1/webhooks/${gone.id}/test`)).body).toMatchObject({ code: 'webhook_disabled' });
    const [attempt] = await gone.deliveries();
    expect((await tenant.post(`/v1/webhooks/deliveries/${attempt?.id}/retry`)).status).toBe(409);
    await requestApproval(tenant);
    await busy.received(2);
    expect(gone.arrivals).toHaveLength(1);
  });

  it('is paused after ten failures in a row, and found again by a probe', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await register(tenant);
    let healthy = false;
    here.receiver.answer(endpoint.path, () => (healthy ? 204 : 503));
    for (let i = 0; i < 14; i++) await endpoint.test();
    await eventually(async () => expect(await endpoint.shown()).toMatchObject({ paused_until: expect.any(Number) }));
    const tried = (await endpoint.attempts(10)).length;
    expect(tried).toBeLessThan(14);
    healthy = true;
    await here.world.sql(`UPDATE webhook SET breaker_until = now() WHERE id = $1`, [endpoint.id]);
    await here.world.sql(`UPDATE webhook_delivery SET next_attempt_at = now() WHERE webhook_id = $1`, [endpoint.id]);
    await eventually(async () => {
      const [left] = await here.world.sql(
        `SELECT count(*)::integer AS pending FROM webhook_delivery WHERE webhook_id = $1 AND state = 'pending'`,
        [endpoint.id],
      );
      expect(left).toEqual({ pending: 0 });
    });
    expect(new Set(endpoint.arrivals.map(({ id }) => id)).size).toBe(14);
    expect(await endpoint.shown()).toMatchObject({ active: true, paused_until: null, failing_since: null });
  });

  it('is switched off after five days of nothing but failures', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await register(tenant);
    here.receiver.answer(endpoint.path, () => 500);
    await here.world.sql(`UPDATE webhook SET failing_since = now() - interval '120 hours' WHERE id = $1`, [
      endpoint.id,
    ]);
    await endpoint.test();
    await eventually(async () =>
      expect(await endpoint.shown()).toMatchObject({ active: false, disabled_reason: 'failing' }),
    );
  });
});

describe('a webhook', () => {
  it('that is deleted is sent nothing more, not even what waits or is on its way', async () => {
    const tenant = await here.world.newTenant();
    const [waiting, slow, kept] = [await register(tenant), await register(tenant), await register(tenant)];
    here.receiver.answer(waiting.path, () => 500);
    here.receiver.answer(slow.path, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1800));
      return 204;
    });
    const pause = (until: string): Promise<unknown> =>
      here.world.sql(`UPDATE webhook SET breaker_until = ${until} WHERE id = $1`, [slow.id]);
    await pause(`now() + interval '1 hour'`);
    for (let i = 0; i < 20; i++) await slow.test();
    await requestApproval(tenant);
    await waiting.attempts(1);
    // 16 of them are claimed at once, and 4 sent.
    await pause('NULL');
    await slow.received(4);
    for (const { id } of [waiting, slow]) {
      expect((await tenant.delete(`/v1/webhooks/${id}`)).body).toEqual({ deleted: true, webhook_id: id });
      expect((await tenant.delete(`/v1/webhooks/${id}`)).status).toBe(404);
      expect((await tenant.post(`/v1/webhooks/${id}/test`)).status).toBe(404);
    }
    await requestApproval(tenant);
    await kept.received(2);
    const left = await here.world.sql(
      `SELECT 1 FROM webhook_delivery WHERE webhook_id = ANY ($1) AND state = 'pending'`,
      [[waiting.id, slow.id]],
    );
    expect(left).toEqual([]);
    expect((await tenant.get('/v1/webhooks')).body).toMatchObject({ webhooks: [{ webhook_id: kept.id }] });
    // What was claimed ahead is found cancelled when its lease is renewed, after two seconds.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(slow.arrivals.length).toBeLessThan(16);
    expect(waiting.arrivals).toHaveLength(1);
  });
});
