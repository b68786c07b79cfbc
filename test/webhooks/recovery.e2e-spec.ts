import { eventually, type Reply } from '@haldir/test-support';
import { type Endpoint, requestApproval, type Body, deliveryWorld } from './endpoint.js';

const here = deliveryWorld();
const { register } = here;
const change = (endpoint: Endpoint, body: Body): Promise<Reply<Body>> =>
  endpoint.client.patch<Body>(`/v1/webhooks/${endpoint.id}`, body);
const recover = (endpoint: Endpoint, since: unknown, headers: Record<string, string> = {}): Promise<Reply<Body>> =>
  endpoint.client.post<Body>(`/v1/webhooks/${endpoint.id}/recover`, { since }, headers);
const idsOf = (endpoint: Endpoint): string[] => [...new Set(endpoint.arrivals.map(({ id }) => id))];

/** Of deliveries that are kept for the endpoint without being sent. */
async function kept(endpoint: Endpoint): Promise<number> {
  const [row] = await here.world.sql<{ kept: number }>(
    `SELECT count(*)::integer AS kept FROM webhook_delivery WHERE webhook_id = $1 AND state = 'cancelled'`,
    [endpoint.id],
  );
  return row?.kept ?? 0;
}

describe('an endpoint that answered 410 once', () => {
  it('is switched on again with its secret, and sent what it missed, once', async () => {
    const since = Date.now() / 1000 - 1;
    const endpoint = await register(await here.world.newTenant(), { events: ['approval_requested'] });
    const observer = await register(endpoint.client, { events: ['webhook_disabled'] });
    let gone = true;
    here.receiver.answer(endpoint.path, () => (gone ? 410 : 200));
    await requestApproval(endpoint.client);
    await eventually(async () => expect(await endpoint.shown()).toMatchObject({ active: false }));
    const [heard] = await observer.received(1);
    expect(heard?.body['data']).toEqual({ webhook_id: endpoint.id, name: '', reason: 'gone' });
    await requestApproval(endpoint.client);
    await requestApproval(endpoint.client);
    await eventually(async () => expect(await kept(endpoint)).toBe(2));
    expect((await recover(endpoint, since)).body).toMatchObject({ code: 'webhook_disabled' });

    gone = false;
    const { status, body } = await change(endpoint, { active: true });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ webhook_id: endpoint.id, active: true, disabled_reason: null, failing_since: null }),
    ]);
    await endpoint.test();
    await endpoint.received(2);
    expect(idsOf(endpoint)).toHaveLength(2);

    const recovered = await recover(endpoint, since);
    expect([recovered.status, recovered.body]).toEqual([202, { webhook_id: endpoint.id, recovered: 3, more: false }]);
    await eventually(() => expect(idsOf(endpoint)).toHaveLength(4));
    await eventually(async () => expect((await recover(endpoint, since)).body).toMatchObject({ recovered: 0 }));
    expect(endpoint.arrivals).toHaveLength(5);
    const { entries } = (await endpoint.client.get<{ entries: Body[] }>('/v1/audit?tool=haldir.webhooks')).body;
    expect(entries.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['webhook_disabled', 'webhook_changed', 'webhook_recovered']),
    );
  });

  it('is sent nothing from before the time that is named', async () => {
    const endpoint = await register(await here.world.newTenant());
    await change(endpoint, { active: false });
    await requestApproval(endpoint.client);
    await eventually(async () => expect(await kept(endpoint)).toBe(1));
    await change(endpoint, { active: true });
    const later = new Date(Date.now() + 5_000).toISOString();
    expect((await recover(endpoint, later)).body).toMatchObject({ recovered: 0 });
    expect((await recover(endpoint, Date.now() / 1000 - 60)).body).toMatchObject({ recovered: 1 });
    await endpoint.received(1);
  });
});

describe('an endpoint', () => {
  it('is switched off without losing what comes meanwhile, and says why it is off', async () => {
    const endpoint = await register(await here.world.newTenant());
    expect((await change(endpoint, { active: false })).body).toMatchObject({
      active: false,
      disabled_reason: 'requested',
    });
    await requestApproval(endpoint.client);
    await eventually(async () => expect(await kept(endpoint)).toBe(1));
    expect(endpoint.arrivals).toEqual([]);
    expect((await change(endpoint, { active: true })).body).toMatchObject({ active: true });
    await recover(endpoint, 0);
    await endpoint.received(1);
  });

  it('has what waits sent to its new address, and hears of other events from then on', async () => {
    const [endpoint, other] = [
      await register(await here.world.newTenant()),
      await register(await here.world.newTenant()),
    ];
    here.receiver.answer(endpoint.path, () => 503);
    await requestApproval(endpoint.client);
    await endpoint.attempts(1);
    here.receiver.expectSecrets(endpoint.id, [endpoint.registered.secret]);
    const url = here.receiver.url(`${other.path}-moved`);
    expect((await change(endpoint, { url, events: ['anomaly'], name: 'moved' })).body).toMatchObject({
      url,
      events: ['anomaly'],
      name: 'moved',
      active: true,
    });
    const [waiting] = await endpoint.deliveries();
    await endpoint.client.post(`/v1/webhooks/deliveries/${waiting?.id}/retry`);
    await eventually(() => expect(here.receiver.at(`${other.path}-moved`)).toHaveLength(1));
    await requestApproval(endpoint.client);
    await endpoint.test();
    await eventually(() => expect(here.receiver.at(`${other.path}-moved`)).toHaveLength(2));
    expect((await change(endpoint, { events: null })).body).toMatchObject({ events: ['all'] });
  });

  it('is changed once under an Idempotency-Key, and to nothing that a new one could not be', async () => {
    const endpoint = await register(await here.world.newTenant());
    const retries = await Promise.all(
      Array.from({ length: 3 }, () => recover(endpoint, 0, { 'idempotency-key': 'recover' })),
    );
    expect(new Set(retries.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    for (const body of [
      {},
      { active: 'yes' },
      { active: null },
      { events: [] },
      { events: ['nothing'] },
      { url: 'ftp://example.com' },
      { url: 'http://10.0.0.1/' },
      { name: 7 },
    ]) {
      expect([body, (await change(endpoint, body)).status]).toEqual([body, 400]);
    }
    for (const since of [undefined, null, 'yesterday', true, -1]) {
      expect([since, (await recover(endpoint, since)).status]).toEqual([since, 400]);
    }
    expect(await endpoint.shown()).toMatchObject({ active: true, url: endpoint.registered['url'], events: ['all'] });
  });

  it('of another tenant is not there to be changed or recovered', async () => {
    const endpoint = await register(await here.world.newTenant());
    const stranger = await here.world.newTenant();
    const unknown = await stranger.patch<Body>('/v1/webhooks/987654321', { active: false });
    const foreign = await stranger.patch<Body>(`/v1/webhooks/${endpoint.id}`, { active: false });
    expect([foreign.status, { ...foreign.body, request_id: '' }]).toEqual([404, { ...unknown.body, request_id: '' }]);
    expect((await stranger.post(`/v1/webhooks/${endpoint.id}/recover`, { since: 0 })).status).toBe(404);
    expect(await endpoint.shown()).toMatchObject({ active: true });
  });
});
