import { type Client, startReceiver, startWorld, type World } from '@haldir/test-support';

type Json = Record<string, unknown>;

let world: World;
let tenant: Client;
beforeAll(async () => {
  world = await startWorld({ environment: { TZ: 'America/New_York' } });
  tenant = await world.newTenant();
});
afterAll(() => world.stop());

/** As the JavaScript client sends: a content type always, a body only where there is something in it. */
async function ask(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<Json> {
  const reply = await tenant.send<Json>(method, path, body, { 'content-type': 'application/json', ...headers });
  if (reply.status >= 400) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

it('the calls of the JavaScript client work, in its order', async () => {
  const session = await ask('POST', '/v1/sessions', {
    agent_id: 'js-sdk-test',
    ttl: 600,
    scopes: ['read', 'write', 'spend:100'],
    spend_limit: 100,
  });
  const id = String(session['session_id']);
  expect(await ask('GET', `/v1/sessions/${id}`)).toMatchObject({ session_id: id, is_valid: true });
  expect(await ask('POST', `/v1/sessions/${id}/check`, { scope: 'read' })).toMatchObject({ allowed: true });
  expect(await ask('POST', '/v1/secrets', { name: 'js', value: 'v', scope_required: 'read' })).toMatchObject({
    stored: true,
  });
  expect(await ask('GET', '/v1/secrets/js', undefined, { 'X-Session-ID': id })).toMatchObject({ value: 'v' });
  expect(await ask('GET', '/v1/secrets')).toMatchObject({ secrets: ['js'], count: 1 });
  expect(await ask('DELETE', '/v1/secrets/js')).toMatchObject({ deleted: true });
  expect(
    await ask('POST', '/v1/payments/authorize', {
      session_id: id,
      amount: 9.99,
      currency: 'USD',
      description: 'a charge',
    }),
  ).toMatchObject({ authorized: true, remaining_budget: 90.01 });
  const details = { sdk: 'javascript', version: '0.1.0' };
  expect(
    await ask('POST', '/v1/audit', { session_id: id, tool: 'test', action: 'run', cost_usd: 0.01, details }),
  ).toMatchObject({ logged: true, entry_id: expect.any(String) });
  expect(await ask('GET', '/v1/audit?limit=5&agent_id=js-sdk-test&flagged=false')).toMatchObject({ count: 4 });
  expect(await ask('GET', '/v1/audit/spend?agent_id=js-sdk-test')).toMatchObject({ total_usd: expect.any(Number) });
  expect(await ask('GET', '/v1/usage')).toMatchObject({ action_count: expect.any(Number) });
  const request = { session_id: id, tool: 'mail', action: 'send', reason: 'r', params: { to: 'x' }, expires_in_s: 60 };
  expect(await ask('POST', '/v1/approvals/request', request)).toMatchObject({
    status: 'pending',
    warnings: [expect.stringContaining('params'), expect.stringContaining('expires_in_s')],
  });
  expect(await ask('DELETE', `/v1/sessions/${id}`)).toMatchObject({ revoked: true });
});

it('the calls of the JavaScript client for approvals and webhooks work, too', async () => {
  const before = tenant;
  tenant = await world.newTenant();
  const session = await tenant.session({ agent_id: 'js-approvals', spend_limit: 500 });
  const rule = await ask('POST', '/v1/approvals/rules', { type: 'spend_over', threshold: 100 });
  expect(rule).toMatchObject({ added: true, type: 'spend_over' });
  expect(await ask('GET', '/v1/approvals/rules')).toMatchObject({ count: 1, rules: [{ threshold: 100 }] });
  const payment = { session_id: session, amount: 150, currency: 'USD', description: 'hardware' };
  const held = await tenant.post('/v1/payments/authorize', payment);
  expect([held.status, held.body]).toMatchObject([403, { authorized: false, request_id: expect.any(String) }]);
  const [first, second] = [String(held.body['request_id']), await askApproval(session)];
  expect(await ask('GET', '/v1/approvals/pending')).toMatchObject({
    count: 2,
    requests: [{ request_id: second }, { request_id: first, amount: 150 }],
  });
  expect(
    await ask('POST', `/v1/approvals/${first}/approve`, { decided_by: 'ops@example.com', note: '' }),
  ).toMatchObject({
    approved: true,
  });
  expect(await ask('POST', '/v1/payments/authorize', payment)).toMatchObject({
    authorized: true,
    remaining_budget: 350,
  });
  expect(await ask('POST', `/v1/approvals/${second}/deny`, { reason: 'no' })).toMatchObject({ denied: true });
  expect(await ask('GET', `/v1/approvals/${second}`)).toMatchObject({ status: 'denied', decision_note: 'no' });
  expect(await ask('GET', '/v1/approvals/pending')).toMatchObject({ count: 0, requests: [] });
  await ask('DELETE', `/v1/approvals/rules/${String(rule['id'])}`);

  const receiver = await startReceiver();
  const hook = await ask('POST', '/v1/webhooks', {
    url: receiver.url('js'),
    name: 'js',
    events: ['anomaly', 'budget_exhausted'],
  });
  expect(hook).toMatchObject({ webhook_id: expect.any(Number), secret: expect.stringMatching(/^whsec_/) });
  const path = `/v1/webhooks/${String(hook['webhook_id'])}`;
  expect(await ask('GET', '/v1/webhooks')).toMatchObject({ webhooks: [{ name: 'js', url: receiver.url('js') }] });
  await ask('POST', `${path}/test`);
  expect(await ask('GET', '/v1/webhooks/deliveries?limit=20')).toMatchObject({ deliveries: expect.any(Array) });
  expect(await ask('POST', `${path}/rotate-secret?grace_seconds=60`)).toMatchObject({ grace_seconds: 60 });
  expect(await ask('DELETE', path)).toMatchObject({ deleted: true });
  await receiver.stop();
  tenant = before;
});

async function askApproval(session: string): Promise<string> {
  const asked = await ask('POST', '/v1/approvals/request', { session_id: session, tool: 'mail', action: 'send' });
  return String(asked['request_id']);
}

it('a reason for a denial is its note', async () => {
  const session = await tenant.session();
  for (const [body, note] of [
    [{ reason: 'too much' }, 'too much'],
    [{ reason: 'r', note: 'the note' }, 'the note'],
    [{}, ''],
  ] as const) {
    const made = await tenant.post('/v1/approvals/request', { session_id: session, tool: 'mail', action: 'send' });
    const path = `/v1/approvals/${String(made.body['request_id'])}`;
    expect((await tenant.post(`${path}/deny`, body)).status).toBe(200);
    expect((await tenant.get(path)).body).toMatchObject({ status: 'denied', decision_note: note });
  }
});

it('a key without a scope is told so in the code that clients look for', async () => {
  const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['sessions:read'] });
  const reply = await tenant.get('/v1/audit', { authorization: `Bearer ${body.key}` });
  expect([reply.status, reply.body['code'], reply.body['required']]).toEqual([403, 'insufficient_scope', 'audit:read']);
});

it('a 400 names its field in a member of its own', async () => {
  const reply = await tenant.post('/v1/sessions', { agent_id: 5 });
  expect([reply.status, reply.body['field']]).toEqual([400, 'agent_id']);
});

it('a CSV export says where its manifest is', async () => {
  const csv = await tenant.get('/v1/audit/export?format=csv');
  expect(csv.headers.get('x-haldir-export-manifest')).toBe('out-of-band');
});

it('the addresses that clients know are there, in the shapes they read', async () => {
  const status = await fetch(`${tenant.url}/v1/status`);
  expect([status.status, await status.json()]).toEqual([
    200,
    expect.objectContaining({
      status: 'ok',
      components: expect.arrayContaining([
        { name: 'database', state: 'ok', message: 'answers', checked_at: expect.any(Number) },
      ]),
      metrics: expect.objectContaining({ success_rate: { total: expect.any(Number), errors: 0, ratio: 1 } }),
    }),
  ]);
  const head = await ask('GET', '/v1/audit/tree-head');
  const jwks = (await ask('GET', '/.well-known/jwks.json')) as { keys: Json[] };
  expect(jwks.keys).toMatchObject([{ kty: 'OKP', crv: 'Ed25519', use: 'sig', kid: head['key_id'] }]);
  const swagger = await fetch(`${tenant.url}/swagger`, { redirect: 'manual' });
  expect([swagger.status, swagger.headers.get('location')]).toEqual([302, '/docs']);
  expect(await ask('GET', '/v1/admin/overview')).toMatchObject({
    tier: 'enterprise',
    usage: { actions_this_month: expect.any(Number), spend_usd_this_month: expect.any(Number) },
    sessions: { active_count: expect.any(Number) },
    vault: { secrets_count: 0 },
    audit: { flagged_7d: 0, chain_verified: true },
    webhooks: { registered_count: 0, deliveries_24h: 0, delivery_success_rate_24h: 1, failed_24h: 0 },
    approvals: { pending_count: expect.any(Number) },
    health: { status: 'ok' },
  });
});

it('evidence comes as JSON and for people, under one digest for one state', async () => {
  const evidence = await tenant.get<{ signatures: { digest: string } }>('/v1/compliance/evidence?until=2030-01-01');
  expect(evidence.body).toMatchObject({
    period_end: '2030-01-01T00:00:00.000Z',
    audit_trail: { chain_verified: true },
    access_control: { has_scoped_keys: true },
    encryption: { cipher: 'AES-256-GCM' },
  });
  expect(evidence.headers.get('x-haldir-evidence-digest')).toBe(evidence.body.signatures.digest);
  const markdown = await tenant.get<string>('/v1/compliance/evidence?format=markdown');
  expect([markdown.status, markdown.headers.get('content-type')]).toEqual([200, 'text/markdown; charset=utf-8']);
  expect(markdown.body).toContain('## audit_trail');
  expect((await tenant.get('/v1/compliance/evidence?format=docx')).body).toMatchObject({ field: 'format' });
});

it('deliveries are filtered by event, as a client asks for them', async () => {
  expect((await tenant.get('/v1/webhooks/deliveries?limit=20&event_id=evt_none')).body).toMatchObject({
    deliveries: [],
  });
});

it('a time without an offset is UTC where the server stands elsewhere, and times of answers are taken back', async () => {
  const before = new Date(Date.now() - 60_000).toISOString().slice(0, 19);
  const logged = { session_id: await tenant.session(), tool: 'clock', action: 'tick' };
  expect((await tenant.post('/v1/audit', logged)).status).toBe(201);
  const found = await tenant.get<{ count: number; entries: { timestamp: number }[] }>(
    `/v1/audit?tool=clock&since=${before}`,
  );
  expect([found.status, found.body.count]).toEqual([200, 1]);
  const since = String(found.body.entries[0]?.timestamp);
  expect((await tenant.get(`/v1/audit?tool=clock&since=${since}`)).body['count']).toBe(1);
  const refused = await tenant.get('/v1/audit?since=2027-02-30');
  expect([refused.status, refused.body['field']]).toEqual([400, 'since']);
});
