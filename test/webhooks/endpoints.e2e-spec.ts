import { Client, type Reply, startApi } from '@haldir/test-support';
import {
  type Delivery,
  type Endpoint,
  type Registered,
  requestApproval,
  type Body,
  deliveryWorld,
} from './endpoint.js';

const here = deliveryWorld();
const { register } = here;

describe('a secret', () => {
  const rotate = (endpoint: Endpoint, query = ''): Promise<Reply<Registered & { secret_prev: string }>> =>
    endpoint.client.post(`/v1/webhooks/${endpoint.id}/rotate-secret${query}`);

  it('that was rotated signs along until its grace is over', async () => {
    const endpoint = await register(await here.world.newTenant());
    const first = endpoint.registered.secret;
    const { status, body } = await rotate(endpoint);
    expect([status, body]).toEqual([
      200,
      {
        webhook_id: endpoint.id,
        secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
        secret_prev: first,
        secret_prev_expires_at: expect.closeTo(Date.now() / 1000 + 86_400, -2),
        grace_seconds: 86_400,
        message: expect.any(String),
      },
    ]);
    here.receiver.expectSecrets(endpoint.id, [body.secret, first]);
    await endpoint.test();
    await endpoint.received(1);

    const third = (await rotate(endpoint, '?grace_seconds=1')).body;
    expect(third).toMatchObject({ secret_prev: body.secret, grace_seconds: 60 });
    here.receiver.expectSecrets(endpoint.id, [third.secret, body.secret]);
    await endpoint.test();
    await endpoint.received(2);

    await here.world.sql('UPDATE webhook SET secret_prev_expires_at = now() WHERE id = $1', [endpoint.id]);
    here.receiver.expectSecrets(endpoint.id, [third.secret]);
    await endpoint.test();
    await endpoint.received(3);
    expect(await endpoint.shown()).toMatchObject({ secret_prev_expires_at: null });

    for (const [query, grace] of [
      ['?grace_seconds=700000', 604_800],
      ['?grace_seconds=-5', 60],
      ['?grace_seconds=3600', 3600],
    ] as const) {
      expect((await rotate(endpoint, query)).body).toMatchObject({ grace_seconds: grace });
    }
    for (const query of [
      '?grace_seconds=soon',
      '?grace_seconds=',
      '?grace_seconds=1e3',
      '?grace_seconds=1&grace_seconds=2',
    ]) {
      expect((await rotate(endpoint, query)).status).toBe(400);
    }
  });

  it('is rotated once by racing rotations that name each other, and once under one Idempotency-Key', async () => {
    const endpoint = await register(await here.world.newTenant());
    const raced = await Promise.all(Array.from({ length: 5 }, () => rotate(endpoint)));
    const won = raced.filter(({ status }) => status === 200).map(({ body }) => body);
    expect(won.length).toBeGreaterThan(0);
    expect(raced.filter(({ status }) => status !== 200).map(({ body }) => body['code'])).toEqual(
      Array(5 - won.length).fill('rotated_meanwhile'),
    );
    const before = new Set(won.map(({ secret_prev }) => secret_prev));
    const last = won.filter(({ secret }) => !before.has(secret));
    expect(last).toHaveLength(1);
    here.receiver.expectSecrets(endpoint.id, [last[0]?.secret ?? '', last[0]?.secret_prev]);
    await endpoint.test();
    await endpoint.received(1);
    const retries = await Promise.all(
      Array.from({ length: 3 }, () =>
        endpoint.client.post(`/v1/webhooks/${endpoint.id}/rotate-secret`, undefined, { 'idempotency-key': 'rotate' }),
      ),
    );
    expect(new Set(retries.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('is shown once, and in no list, table or log', async () => {
    const endpoint = await register(await here.world.newTenant());
    await endpoint.test();
    await endpoint.received(1);
    const { secret } = endpoint.registered;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    for (const list of ['/v1/webhooks', '/v1/webhooks/deliveries']) {
      expect(JSON.stringify((await endpoint.client.get(list)).body)).not.toMatch(/whsec|secret"/);
    }
    const tables = await here.world.sql<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'bullmq')`,
    );
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64').toString('hex');
    for (const { name } of tables) {
      const found = await here.world.sql(
        `SELECT 1 FROM ${name} AS t WHERE t::text LIKE $1 OR t::text LIKE $2 LIMIT 1`,
        [`%${secret.slice(6)}%`, `%${key}%`],
      );
      expect([name, found]).toEqual([name, []]);
    }
    for (const app of [...here.world.apis, here.worker]) expect(app.output()).not.toContain(secret.slice(6));
  });

  it('that was moved or altered in the database signs nothing', async () => {
    const tenant = await here.world.newTenant();
    const [endpoint, other] = [await register(tenant), await register(tenant)];
    await here.world.sql('UPDATE webhook w SET secret = o.secret FROM webhook o WHERE w.id = $1 AND o.id = $2', [
      endpoint.id,
      other.id,
    ]);
    await endpoint.test();
    expect(await endpoint.attempts(1)).toMatchObject([{ status: 'failed', error: 'secret_broken', status_code: null }]);
    expect(endpoint.arrivals).toEqual([]);
  });
});

describe('the delivery log', () => {
  it('shows every attempt, in pages that lose none, and sends one again on demand', async () => {
    const tenant = await here.world.newTenant();
    const [endpoint, failing] = [await register(tenant), await register(tenant, { events: ['anomaly'] })];
    here.receiver.answer(failing.path, () => 500);
    await requestApproval(tenant);
    const events: string[] = [];
    for (let i = 0; i < 6; i++) events.push(await endpoint.test());
    events.push(await failing.test());
    await endpoint.attempts(7);
    await failing.attempts(1);
    const list = async (query: string): Promise<Delivery[]> => {
      const seen: Delivery[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body }: Reply<{ deliveries: Delivery[]; next_cursor: string | null }> = await tenant.get(
          `/v1/webhooks/deliveries?limit=3${query}${more}`,
        );
        seen.push(...body.deliveries);
        cursor = body.next_cursor;
        if (cursor === null) break;
        expect((await tenant.get(`/v1/webhooks/deliveries?event=anomaly&cursor=${cursor}`)).status).toBe(400);
        expect((await here.world.operator.get(`/v1/webhooks/deliveries?cursor=${cursor}`)).status).toBe(400);
      }
      return seen;
    };
    const all = await list('');
    expect(all).toHaveLength(8);
    expect(new Set(all.map(({ id }) => id)).size).toBe(8);
    expect(await list('&status=failed')).toMatchObject([{ webhook_id: failing.id, status_code: 500 }]);
    expect(await list('&status=delivered')).toHaveLength(7);
    expect(await list('&event=approval_requested')).toHaveLength(1);
    expect(await list(`&webhook_id=${endpoint.id}&event=webhook_test`)).toHaveLength(6);
    for (const query of ['status=pending', 'event=some', 'webhook_id=0', 'webhook_id=x', 'limit=0']) {
      expect((await tenant.get(`/v1/webhooks/deliveries?${query}`)).status).toBe(400);
    }

    const [first] = endpoint.arrivals;
    const delivered = all.find(({ event_id }) => event_id === first?.id);
    const retry = (id = delivered?.id ?? ''): Promise<Reply> => tenant.post(`/v1/webhooks/deliveries/${id}/retry`);
    expect(await retry()).toMatchObject({ status: 202, body: { queued: true, delivery_id: delivered?.id } });
    const again = (await endpoint.received(8)).at(-1);
    expect([again?.id, again?.raw, again?.attempt]).toEqual([first?.id, first?.raw, 2]);
    const failed = all.find(({ status_code }) => status_code === 500);
    here.receiver.answer(failing.path, () => 200);
    expect((await retry(failed?.id)).status).toBe(202);
    await failing.received(2);
    for (const id of ['dlv_unknown', 'dlv_unknown_1', `${delivered?.id}0`, '1', `evt_${'x'.repeat(500)}`]) {
      expect((await retry(id)).status).toBe(404);
    }
    const stranger = await here.world.newTenant();
    expect((await stranger.post(`/v1/webhooks/deliveries/${delivered?.id}/retry`)).status).toBe(404);
    expect((await stranger.get('/v1/webhooks/deliveries')).body).toMatchObject({ deliveries: [], count: 0 });
    expect((await stranger.get(`/v1/webhooks/deliveries?webhook_id=${endpoint.id}`)).body).toMatchObject({ count: 0 });
  });
});

describe('a webhook', () => {
  it('is listed as registered, and nothing to another tenant', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await register(tenant, { name: 'pager', events: ['anomaly'] });
    expect(endpoint.registered).toEqual({
      registered: true,
      url: here.receiver.url(endpoint.path),
      events: ['anomaly'],
      webhook_id: expect.toSatisfy((id: number) => Number.isInteger(id) && id > 0),
      name: 'pager',
      format: 'haldir',
      secret: expect.any(String),
      created_at: expect.closeTo(Date.now() / 1000, -1),
    });
    const { registered: _, secret: __, ...shown } = endpoint.registered;
    expect((await tenant.get('/v1/webhooks')).body).toEqual({
      webhooks: [
        {
          ...shown,
          active: true,
          disabled_reason: null,
          failing_since: null,
          paused_until: null,
          secret_prev_expires_at: null,
        },
      ],
      count: 1,
      next_cursor: null,
    });
    const stranger = await here.world.newTenant();
    expect((await stranger.get('/v1/webhooks')).body).toMatchObject({ webhooks: [], count: 0 });
    for (const id of [endpoint.id, 999_999, 0, -1, 'x', '1.0', '9'.repeat(30)]) {
      expect((await stranger.delete(`/v1/webhooks/${id}`)).status).toBe(404);
      expect((await stranger.post(`/v1/webhooks/${id}/test`)).status).toBe(404);
      expect((await stranger.post(`/v1/webhooks/${id}/rotate-secret`)).status).toBe(404);
    }
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['webhooks:read'] });
    const reader = new Client(tenant.url, body.key);
    expect((await reader.get('/v1/webhooks')).status).toBe(200);
    expect((await reader.delete(`/v1/webhooks/${endpoint.id}`)).body).toMatchObject({ required: 'webhooks:write' });
  });

  it('says who registered, rotated, retried and deleted it in the audit log, without secrets', async () => {
    const tenant = await here.world.newTenant();
    const endpoint = await register(tenant, { events: ['anomaly'] });
    await tenant.post(`/v1/webhooks/${endpoint.id}/rotate-secret`);
    await tenant.delete(`/v1/webhooks/${endpoint.id}`);
    const by = tenant.key?.slice(0, 14);
    const rows = await here.world.sql<{ action: string; details: string }>(
      `SELECT action, details FROM audit_entry WHERE tenant_id = $1 AND tool = 'haldir.webhooks' ORDER BY seq`,
      [await here.world.tenantOf(tenant)],
    );
    expect(rows.map(({ action, details }) => [action, JSON.parse(details)])).toEqual([
      [
        'webhook_registered',
        {
          ...{ webhook_id: endpoint.id, events: ['anomaly'], format: 'haldir' },
          ...{ origin: new URL(here.receiver.url('')).origin, by },
        },
      ],
      ['webhook_secret_rotated', { webhook_id: endpoint.id, grace_seconds: 86_400, by }],
      ['webhook_deleted', { webhook_id: endpoint.id, by }],
    ]);
  });

  it('needs a URL that may be reached, and events that exist', async () => {
    const tryToRegister = (body: Body): Promise<Reply> => here.world.operator.post('/v1/webhooks', body);
    for (const url of [
      ...[
        '',
        'example.com',
        '/relative',
        '//example.com/',
        'ftp://example.com/',
        'javascript:alert(1)',
        'http:example.com',
      ],
      ...[
        'http://',
        'http://user:pass@example.com/',
        'http://example.com:22/',
        'http://example.com:0/',
        'http:\\\\10.0.0.1',
      ],
      ...['http://10.0.0.1/', 'http://192.168.1.1/', 'http://172.16.0.1/', 'http://169.254.169.254/latest/meta-data'],
      ...[
        'http://0.0.0.0/',
        'http://0/',
        'http://224.0.0.1/',
        'http://100.64.0.1/',
        'http://2852039166/',
        'http://0xa9fea9fe/',
      ],
      ...[
        'http://0251.0376.0251.0376/',
        'http://１０.０.０.１/',
        'http://10.0.0.1./',
        'http://[::]/',
        'http://[fe80::1]/',
      ],
      ...['http://[::ffff:169.254.169.254]/', 'http://[::ffff:a9fe:a9fe]/', 'http://[64:ff9b::a9fe:a9fe]/'],
      ...['http://[2002:a9fe:a9fe::]/', 'http://[fd00:ec2::254]/', 'http://[ff02::1]/', 'http://example.com/\r\nX: y'],
      `http://example.com/${'x'.repeat(2048)}`,
      ...[7, null, [], {}],
    ]) {
      const { status, body } = await tryToRegister({ url });
      expect([url, status]).toEqual([url, 400]);
      expect(body['error']).toMatch(/^url\b/);
      if (typeof url === 'string' && url.length > 10) expect(JSON.stringify(body)).not.toContain(url.slice(0, 40));
    }
    const url = here.receiver.url('never');
    for (const [body, field] of [
      [{ url, events: ['some'] }, 'events.0'],
      [{ url, events: [] }, 'events'],
      [{ url, events: 'all' }, 'events'],
      [{ url, events: [7] }, 'events.0'],
      [{ url, events: Array(17).fill('all') }, 'events'],
      [{ url, name: 7 }, 'name'],
      [{ url, name: 'x'.repeat(129) }, 'name'],
      [{}, 'url'],
    ] as [Body, string][]) {
      const { status, body: answer } = await tryToRegister(body);
      expect([body, status, String(answer['error']).split(':')[0]]).toEqual([body, 400, field]);
    }
    expect((await here.world.operator.get('/v1/webhooks')).body).toMatchObject({ count: 0 });
  });

  it('on loopback is refused where the operator does not allow it, and whatever the table says is not connected to', async () => {
    const strict = await startApi({ ...here.world.environment, HALDIR_EGRESS_ALLOW: '' });
    try {
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]']) {
        const { status, body } = await here.world.operator
          .at(strict)
          .post('/v1/webhooks', { url: `http://${host}:8080/` });
        expect([host, status, body['code']]).toEqual([host, 400, 'egress_refused']);
      }
    } finally {
      await strict.stop();
    }
    const endpoint = await register(await here.world.newTenant());
    for (const [i, url] of ['http://169.254.169.254/', 'ftp://127.0.0.1/', 'http://[fd00::1]:8080/x'].entries()) {
      await here.world.sql('UPDATE webhook SET url = $2 WHERE id = $1', [endpoint.id, url]);
      await endpoint.test();
      const [attempt] = await endpoint.attempts(i + 1);
      expect(attempt).toMatchObject({ status: 'failed', status_code: null, error: 'egress_refused' });
    }
  });
});
