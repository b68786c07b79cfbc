import {
  type AppProcess,
  Client,
  eventually,
  type Person,
  personOf,
  type PushBrowser,
  type PushService,
  startPushService,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { requestApproval } from './endpoint.js';

let service: PushService;
let world: World;
let worker: AppProcess;
let tenant: Client;
let approver: Person;
beforeAll(async () => {
  service = await startPushService();
  const port = String(await freePort());
  world = await startWorld({ environment: { PORT: port, HALDIR_PUBLIC_URL: `http://localhost:${port}` } });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await service.stop();
});
beforeEach(async () => {
  service.answer(() => 201);
  tenant = await world.newTenant();
  approver = await personOf(tenant, 'approver');
});
afterEach(() => {
  expect(service.faults.splice(0)).toEqual([]);
});

interface Told {
  subscription_id: string;
  told_at: number | null;
}
const ownOf = async (person: Person): Promise<{ public_key: string; subscriptions: Told[] }> =>
  (await person.get<{ public_key: string; subscriptions: Told[] }>('/v1/me/push')).body;
const subscribe = async (person: Person, browser = service.browser()): Promise<PushBrowser & { id: string }> => {
  const { status, body } = await person.post<Told>('/v1/me/push', { ...browser.subscription, browser: 'Chrome' });
  expect(status).toBe(201);
  return { ...browser, id: body.subscription_id };
};
type Row = { state: string; error: string | null; attempts: number };
const rows = async (): Promise<Row[]> =>
  world.sql<Row>('SELECT state, error, attempts FROM push_message WHERE tenant_id = $1 ORDER BY event_id, person_id', [
    await world.tenantOf(tenant),
  ]);
/** Waits until nothing of the tenant is to be told any more. */
const settled = (): Promise<Row[]> =>
  eventually(async () => {
    const events = await world.sql('SELECT FROM outbox WHERE tenant_id = $1', [await world.tenantOf(tenant)]);
    const found = await rows();
    expect([events, found.filter(({ state }) => state === 'pending')]).toEqual([[], []]);
    return found;
  }, 60_000);

describe('a browser', () => {
  it('is told what waits, encrypted for it alone: a title and a path, and nothing that an agent has written', async () => {
    const [phone, desk] = [await subscribe(approver), await subscribe(approver)];
    const canary = 'canary-of-the-agent';
    const id = await requestApproval(tenant, { tool: canary, action: canary, reason: canary, details: { to: canary } });
    expect(await settled()).toEqual([{ state: 'sent', error: null, attempts: 1 }]);
    const { public_key: key, subscriptions } = await ownOf(approver);
    for (const { told } of [phone, desk]) {
      expect(told).toHaveLength(1);
      const [{ text, raw, headers, claims, key: by }] = told as [(typeof told)[0]];
      expect(JSON.parse(text)).toEqual({
        ...{ title: 'Approval requested', path: `/approvals/${id}`, tag: `evt_${id.slice(4)}` },
      });
      expect(raw.includes('Approval')).toBe(false);
      expect(headers).toMatchObject({ ttl: '3600', urgency: 'high', 'content-encoding': 'aes128gcm' });
      expect([by, claims.aud, claims.sub]).toEqual([key, service.url, expect.stringMatching(/^mailto:/)]);
    }
    expect(subscriptions.map(({ told_at: at }) => typeof at)).toEqual(['number', 'number']);
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ told: 1, notified: 'somebody' });
    expect(await world.sql(`SELECT FROM push_message WHERE notice LIKE '%${canary}%'`)).toEqual([]);
  });

  it('that is there no more (410) is forgotten, and the person is told in the others', async () => {
    const [gone, there] = [await subscribe(approver), await subscribe(approver)];
    service.answer(({ subscription }) => (subscription.endpoint === gone.subscription.endpoint ? 410 : 201));
    await requestApproval(tenant);
    expect(await settled()).toEqual([{ state: 'sent', error: null, attempts: 1 }]);
    expect((await ownOf(approver)).subscriptions.map(({ subscription_id: id }) => id)).toEqual([there.id]);
    service.answer(() => 404);
    const id = await requestApproval(tenant);
    expect(await settled()).toHaveLength(2);
    expect((await ownOf(approver)).subscriptions).toEqual([]);
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ told: 0, notified: 'nobody' });
  });

  it('whose service puts it off is told when its time has come; one whose service refuses is not asked again', async () => {
    const browser = await subscribe(approver);
    service.answer(() => 503);
    await requestApproval(tenant);
    await eventually(async () => expect(await rows()).toEqual([{ state: 'pending', error: 'deferred', attempts: 1 }]));
    service.answer(() => 201);
    await world.sql(`UPDATE push_message SET next_attempt_at = now() WHERE state = 'pending'`);
    expect(await settled()).toEqual([{ state: 'sent', error: null, attempts: 2 }]);
    // What was put off and what came after it are one, for whoever keeps it.
    expect(new Set(browser.told.map(({ headers }) => headers['topic'])).size).toBe(1);
    service.answer(() => 400);
    await requestApproval(tenant);
    expect(await settled()).toContainEqual({ state: 'failed', error: 'refused', attempts: 1 });
    expect(worker.output()).not.toContain('what the service says');
    expect(await (await fetch(`${worker.url}/metrics`)).text()).toMatch(
      /haldir_pushes_total\{outcome="deferred"[^}]*\} [1-9]/,
    );
  });

  it('is told once, however many workers there are', async () => {
    const browser = await subscribe(approver);
    const others = await Promise.all([1, 2].map(() => startWorker(world.environment)));
    const session_id = await tenant.session({ agent_id: 'asker' });
    await Promise.all(Array.from({ length: 20 }, () => tenant.post('/v1/approvals/request', { session_id })));
    await eventually(async () => expect(await settled()).toHaveLength(20), 60_000);
    await Promise.all(others.map((other) => other.stop()));
    const tags = browser.told.map(({ text }) => (JSON.parse(text) as { tag: string }).tag);
    expect([tags.length, new Set(tags).size]).toEqual([20, 20]);
  });
});

describe('a person', () => {
  it('chooses what browsers tell them, beside what they are sent by e-mail', async () => {
    const browser = await subscribe(approver);
    const choose = async (body: object): Promise<unknown> => (await approver.put('/v1/me/notifications', body)).body;
    expect(await choose({ notify: null, push: ['anomaly'] })).toMatchObject({
      push: ['anomaly'],
      push_chosen: true,
      chosen: false,
    });
    expect(await choose({ notify: [] })).toMatchObject({ notify: [], chosen: true, push: ['anomaly'] });
    await requestApproval(tenant);
    const session_id = await tenant.session({ agent_id: 'spender', spend_limit: 200 });
    await tenant.post('/v1/audit', { session_id, tool: 'gpu', action: 'rent', cost_usd: 100.5 });
    await eventually(() => expect(browser.told.length).toBe(1), 60_000);
    await settled();
    expect(browser.told.map(({ text }) => JSON.parse(text) as unknown)).toMatchObject([
      { title: 'An action was flagged', path: '/audit' },
    ]);
    expect(await choose({ notify: null, push: null })).toMatchObject({ push_chosen: false, chosen: false });
    for (const push of ['anomaly', ['all'], {}]) {
      const { status, body } = await approver.put('/v1/me/notifications', { notify: null, push });
      expect([status, body['error']]).toEqual([400, expect.stringMatching(/^push/)]);
    }
  });

  it('is told nothing any more once they were removed, nor is who removed the browser', async () => {
    const other = await personOf(tenant, 'owner');
    const [one, two] = [await subscribe(approver), await subscribe(other)];
    expect((await other.delete(`/v1/me/push/${two.id}`)).status).toBe(200);
    expect((await tenant.delete(`/v1/people/${approver.id}`)).status).toBe(200);
    const tenantId = await world.tenantOf(tenant);
    expect(await world.sql('SELECT FROM push_subscription WHERE tenant_id = $1', [tenantId])).toEqual([]);
    const again = await personOf(tenant, 'approver');
    expect([again.id, (await ownOf(again)).subscriptions]).toEqual([approver.id, []]);
    await requestApproval(tenant);
    await settled();
    expect([one.told, two.told]).toEqual([[], []]);
  });

  it('finds and ends nothing of others, and takes a browser over from whoever sat at it before', async () => {
    const other = await personOf(tenant, 'owner');
    const stranger = await personOf(await world.newTenant(), 'owner');
    const browser = await subscribe(approver);
    for (const person of [other, stranger]) {
      expect((await ownOf(person)).subscriptions).toEqual([]);
      expect((await person.delete(`/v1/me/push/${browser.id}`)).status).toBe(404);
    }
    await subscribe(other, browser);
    expect((await ownOf(approver)).subscriptions).toEqual([]);
    expect((await ownOf(other)).subscriptions).toHaveLength(1);
    const shown = JSON.stringify((await other.get('/v1/me/push')).body);
    for (const kept of [
      browser.subscription.endpoint,
      browser.subscription.keys.auth,
      browser.subscription.keys.p256dh,
    ])
      expect(shown).not.toContain(kept);
    for (const client of [tenant, new Client(tenant.url, null)])
      expect([401, 403]).toContain((await client.get('/v1/me/push')).status);
  });

  it('has 10 browsers at most, however many ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 14 }, () => approver.post('/v1/me/push', service.browser().subscription)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.find(({ status }) => status !== 201)?.body).toMatchObject({ code: 'too_many_push_subscriptions' });
    expect((await ownOf(approver)).subscriptions).toHaveLength(10);
  });

  it('is told what is wrong with what is no browser, and of no address that is not to be reached', async () => {
    const { endpoint, keys } = service.browser().subscription;
    const off = Buffer.alloc(65, 4).toString('base64url');
    for (const [member, body] of [
      ['endpoint', { keys }],
      ['endpoint', { endpoint: 'no address', keys }],
      ['endpoint', { endpoint: `https://example.com/${'x'.repeat(1100)}`, keys }],
      ['endpoint', { endpoint: 'http://push.example.com/x', keys }],
      ['endpoint', { endpoint: 'https://push.example.com%2eexample.org/x', keys }],
      ['endpoint', { endpoint: 'https://%65xample.com/x', keys }],
      ['endpoint', { endpoint: 'https://;example.com/x', keys }],
      ['endpoint', { endpoint: 'https://10.0.0.1/x', keys }],
      ['endpoint', { endpoint: 'https://169.254.169.254/latest', keys }],
      ['endpoint', { endpoint: 'https://user:pass@example.com/x', keys }],
      ['keys', { endpoint }],
      ['keys.p256dh', { endpoint, keys: { ...keys, p256dh: 'short' } }],
      ['keys.p256dh', { endpoint, keys: { ...keys, p256dh: off } }],
      ['keys.auth', { endpoint, keys: { ...keys, auth: keys.p256dh } }],
      ['browser', { endpoint, keys, browser: 'x'.repeat(65) }],
    ] as [string, object][]) {
      const answer = await approver.post('/v1/me/push', body);
      expect([member, answer.status, answer.body['error']]).toEqual([
        ...[member, 400, expect.stringContaining(member)],
      ]);
      expect(JSON.stringify(answer.body)).not.toMatch(/10\.0\.0\.1|user:pass|short/);
    }
    expect((await ownOf(approver)).subscriptions).toEqual([]);
  });
});

it('push services know every process of an installation by one key', async () => {
  const { public_key: key } = await ownOf(approver);
  expect(Buffer.from(key, 'base64url')).toHaveLength(65);
  const other = await personOf(await world.newTenant(), 'auditor');
  expect((await ownOf(other)).public_key).toBe(key);
});
