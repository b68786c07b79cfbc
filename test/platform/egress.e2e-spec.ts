import { type ServerResponse } from 'node:http';
import {
  type AppProcess,
  type Client,
  eventually,
  HOSTILE_NAMES,
  hostileUrls,
  type Reply,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { type Honeypot, INTERNAL, Network, type Peer, PUBLIC, startHoneypot, startPeer } from './egress-network.js';

const REDIRECTS = [301, 302, 303, 307, 308];

let network: Network;
let honeypot: Honeypot;
let world: World;
let worker: AppProcess;
let tenant: Client;

async function begin(allow: string, honeypotHosts: string[]): Promise<void> {
  network = new Network();
  honeypot = await startHoneypot(honeypotHosts);
  world = await startWorld({ environment: { HALDIR_EGRESS_ALLOW: allow, ...network.environment } });
  worker = await startWorker(world.environment);
  tenant = await world.newTenant();
}

async function end(): Promise<void> {
  expect(honeypot.accepted()).toBe(0);
  for (const app of [worker, ...world.apis]) expect(app.output()).not.toContain(INTERNAL);
  await worker.stop();
  await world.stop();
  await honeypot.stop();
  network.remove();
}

const registerWebhook = (url: string, by = tenant): Promise<Reply> => by.post('/v1/webhooks', { url });
const registerUpstream = (name: string, url: string, by = tenant): Promise<Reply> =>
  by.post('/v1/proxy/upstreams', { name, url });

interface Attempt {
  url: string;
  status: string;
  status_code: number | null;
  error: string | null;
}

/** Waits until the log holds as many attempts of a webhook, newest first. */
const attemptsOf = (client: Client, webhook: unknown, count: number): Promise<Attempt[]> =>
  eventually(async () => {
    const list = `/v1/webhooks/deliveries?webhook_id=${String(webhook)}`;
    const { body } = await client.get<{ deliveries: Attempt[] }>(list);
    expect(body.deliveries.length).toBe(count);
    return body.deliveries;
  });

/** Refused as an address, or as no URL at all, in words that repeat nothing of it. */
function expectRefusal(url: string, { status, body }: Reply): void {
  expect([url, status, body['code']]).toEqual([url, 400, 'egress_refused']);
  expect(body['error']).toMatch(/^url: expected /);
  expect(Object.keys(body).sort(), url).toEqual(['code', 'error', 'field', 'request_id']);
}

describe('where only public addresses are allowed, hostile URLs', () => {
  beforeAll(() => begin('', ['127.0.0.1', '::1']));
  afterAll(end);
  beforeEach(() => {
    network.forget();
    network.resolve(Object.fromEntries(Object.entries(HOSTILE_NAMES).map(([name, answer]) => [name, [answer]])));
  });

  it('are at least eighty', () => {
    expect(new Set(hostileUrls(honeypot.port)).size).toBeGreaterThanOrEqual(80);
  });

  it('are all refused when a webhook is registered, without a connection', async () => {
    for (const url of hostileUrls(honeypot.port)) expectRefusal(url, await registerWebhook(url));
    expect((await tenant.get('/v1/webhooks')).body).toMatchObject({ count: 0 });
    expect([network.tried(), honeypot.accepted()]).toEqual([[], 0]);
  });

  it('are all refused when a webhook is moved, without a connection', async () => {
    const owner = await world.newTenant();
    const { body } = await registerWebhook(`http://${PUBLIC}/`, owner);
    for (const url of hostileUrls(honeypot.port))
      expectRefusal(url, await owner.patch(`/v1/webhooks/${Number(body['webhook_id'])}`, { url }));
    const { webhooks } = (await owner.get<{ webhooks: unknown[] }>('/v1/webhooks')).body;
    expect(webhooks).toMatchObject([{ url: `http://${PUBLIC}/` }]);
    expect([network.tried(), honeypot.accepted()]).toEqual([[], 0]);
  });

  it('are all refused when an upstream is registered, without a connection', async () => {
    for (const url of hostileUrls(honeypot.port)) expectRefusal(url, await registerUpstream('up', url));
    expect((await tenant.get('/v1/proxy/upstreams')).body).toMatchObject({ count: 0 });
    expect([network.tried(), honeypot.accepted()]).toEqual([[], 0]);
  });

  it('are all refused when a webhook is delivered, whatever the table says, without a connection', async () => {
    const urls = hostileUrls(honeypot.port);
    const owner = await world.newTenant();
    const ids: unknown[] = [];
    for (const _ of urls) ids.push((await registerWebhook(`http://${PUBLIC}/`, owner)).body['webhook_id']);
    await world.sql(
      'UPDATE webhook SET url = changed.url FROM unnest($1::bigint[], $2::text[]) AS changed (id, url) WHERE webhook.id = changed.id',
      [ids, urls],
    );
    await owner.post('/v1/approvals/request', { session_id: await owner.session() });
    const made = await eventually(async () => {
      const { body } = await owner.get<{ deliveries: Attempt[] }>('/v1/webhooks/deliveries?limit=1000');
      expect(body.deliveries.length).toBe(urls.length);
      return body.deliveries;
    }, 60_000);
    for (const { url, status, status_code, error } of made) {
      expect([url, status, status_code, error]).toEqual([url, 'failed', null, 'egress_refused']);
    }
    expect(new Set(made.map(({ url }) => url))).toEqual(new Set(urls));
    expect([network.tried(), honeypot.accepted()]).toEqual([[], 0]);
  }, 90_000);

  it('are all refused when an upstream is checked or called, whatever the table says, without a connection', async () => {
    const urls = hostileUrls(honeypot.port);
    const owner = await world.newTenant({ tier: 'enterprise' });
    const tenantId = await world.tenantOf(owner);
    const names = urls.map((_, i) => `up-${i}`);
    // Not due for the worker yet: first the API is asked.
    await world.sql(
      `INSERT INTO proxy_upstream (tenant_id, name, url, revision, healthy, created_at, next_check_at)
       SELECT $1, name, url, 'upr_' || name, true, now(), now() + interval '1 hour' FROM unnest($2::text[], $3::text[]) AS new (name, url)`,
      [tenantId, names, urls],
    );
    await world.sql(
      `INSERT INTO proxy_tool (tenant_id, upstream, name, destructive, definition, fingerprint)
       SELECT $1, name, 'tool', false, '{"name": "tool", "inputSchema": {"type": "object"}}', sha256('') FROM unnest($2::text[]) AS new (name)`,
      [tenantId, names],
    );
    const session_id = await owner.session({ scopes: ['execute'] });
    for (const [i, name] of names.entries()) {
      const called = await owner.post('/v1/proxy/call', { session_id, tool: `${name}.tool` });
      expect([urls[i], called.status, called.body['error']]).toEqual([
        urls[i],
        502,
        "The upstream's address is not allowed",
      ]);
      const refreshed = await owner.post(`/v1/proxy/upstreams/${name}/refresh`);
      expect([urls[i], refreshed.status]).toEqual([urls[i], 200]);
      expect(refreshed.body).toMatchObject({ healthy: false, error: "The upstream's address is not allowed" });
      expect(refreshed.body).not.toHaveProperty('upstream_status');
    }
    await world.sql(
      'UPDATE proxy_upstream SET healthy = true, error = NULL, last_check_at = NULL, next_check_at = now() WHERE tenant_id = $1',
      [tenantId],
    );
    await eventually(async () => {
      const unchecked = await world.sql('SELECT FROM proxy_upstream WHERE tenant_id = $1 AND last_check_at IS NULL', [
        tenantId,
      ]);
      expect(unchecked).toHaveLength(0);
    }, 60_000);
    const { body } = await owner.get<{ upstreams: Record<string, { url: string; healthy: boolean; error: string }> }>(
      '/v1/proxy/upstreams',
    );
    for (const { url, healthy, error } of Object.values(body.upstreams)) {
      expect([url, healthy, error]).toEqual([url, false, "The upstream's address is not allowed"]);
    }
    expect([network.tried(), honeypot.accepted()]).toEqual([[], 0]);
  }, 90_000);
});

describe('a name that changes its mind', () => {
  beforeAll(() => begin('', ['127.0.0.1', '::1']));
  afterAll(end);
  beforeEach(() => network.forget());
  const url = (): string => `http://rebind.example:${honeypot.port}/`;
  const tried = (): string[] => [...new Set(network.tried())];

  it('between the registration of a webhook and its delivery gains nothing', async () => {
    network.resolve({ 'rebind.example': [[PUBLIC]] });
    const { status, body } = await registerWebhook(url());
    expect(status).toBe(201);
    network.resolve({ 'rebind.example': [['127.0.0.1']] });
    await tenant.post(`/v1/webhooks/${String(body['webhook_id'])}/test`);
    expect(await attemptsOf(tenant, body['webhook_id'], 1)).toMatchObject([{ error: 'egress_refused' }]);
    expect(tried()).toEqual([]);
  });

  it('between one delivery and the next gains nothing', async () => {
    const loopback = [['127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], [PUBLIC, '127.0.0.1']];
    network.resolve({ 'rebind.example': [[PUBLIC], ...loopback] });
    const { body } = await registerWebhook(url());
    const errors: (string | null)[] = [];
    for (let i = 0; i <= loopback.length; i++) {
      await tenant.post(`/v1/webhooks/${String(body['webhook_id'])}/test`);
      errors.unshift((await attemptsOf(tenant, body['webhook_id'], i + 1))[0]?.error ?? null);
    }
    expect(errors).toEqual([...loopback.map(() => 'egress_refused'), 'connect']);
    // It went to the address that was checked, and to none that was answered later.
    expect(tried()).toEqual([`connect ${PUBLIC} ${honeypot.port}`]);
  });

  it('between the check of an upstream and the question for its tools gains nothing', async () => {
    network.resolve({ 'rebind.example': [[PUBLIC], ['127.0.0.1']] });
    const { status, body } = await registerUpstream('rebind', url());
    expect(status).toBe(201);
    expect(body).toMatchObject({ healthy: false, tools_discovered: 0, error: "The upstream's address is not allowed" });
    expect(tried()).toEqual([]);
  });

  it('between the registration of an upstream and later checks gains nothing', async () => {
    network.resolve({ 'rebind.example': [[PUBLIC]] });
    expect((await registerUpstream('rebind', url())).body).toMatchObject({
      error: 'The upstream could not be connected to',
    });
    expect(tried()).toEqual([`connect ${PUBLIC} ${honeypot.port}`]);
    network.resolve({ 'rebind.example': [['127.0.0.1']] });
    network.forget();
    expect((await tenant.post('/v1/proxy/upstreams/rebind/refresh')).body).toMatchObject({
      healthy: false,
      error: "The upstream's address is not allowed",
    });
    expect(tried()).toEqual([]);
  });
});

describe('a peer that is allowed', () => {
  let peer: Peer;
  beforeAll(async () => {
    // Of loopback ::1 is allowed and 127.0.0.1 is not, so that one can lead to the other.
    await begin('::1/128', ['127.0.0.1']);
    peer = await startPeer();
  });
  afterAll(async () => {
    await peer.stop();
    await end();
  });
  beforeEach(() => {
    network.forget();
    peer.requests.splice(0);
  });

  const inside = (): Record<string, string> => ({
    location: `http://127.0.0.1:${honeypot.port}/`,
    refresh: `0; url=http://127.0.0.1:${honeypot.port}/`,
    link: `<http://127.0.0.1:${honeypot.port}/>; rel="canonical"`,
    'alt-svc': `h2="127.0.0.1:${honeypot.port}"; ma=3600`,
  });
  const toPeer = (): string[] => network.tried().filter((what) => !what.startsWith('connect ::1 '));

  it.each(REDIRECTS)('leads no webhook inside with a %i', async (status) => {
    peer.answer = (_request, _body, response) => response.writeHead(status, inside()).end(INTERNAL);
    const { body } = await registerWebhook(peer.url(`hook-${status}`));
    await tenant.post(`/v1/webhooks/${String(body['webhook_id'])}/test`);
    const attempts = await attemptsOf(tenant, body['webhook_id'], 1);
    expect(attempts).toMatchObject([{ status: 'failed', status_code: status, error: 'status' }]);
    expect(JSON.stringify(attempts)).not.toContain(INTERNAL);
    expect(peer.requests).toEqual([`POST /hook-${status}`]);
    expect([toPeer(), honeypot.accepted()]).toEqual([[], 0]);
  });

  it.each(REDIRECTS)('leads no upstream inside with a %i, at registration or call', async (status) => {
    let redirects = true;
    peer.answer = (_request, body, response) => {
      if (redirects) {
        response.writeHead(status, inside()).end(INTERNAL);
        return;
      }
      const { id } = JSON.parse(body) as { id: number };
      const result = { tools: [{ name: 'tool', inputSchema: { type: 'object' } }] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    };
    const name = `up-${status}`;
    const dead = await registerUpstream(name, peer.url(name));
    expect(dead.body).toMatchObject({ healthy: false, tools_discovered: 0, upstream_status: status });
    redirects = false;
    expect((await tenant.post(`/v1/proxy/upstreams/${name}/refresh`)).body).toMatchObject({ healthy: true });
    redirects = true;
    const session_id = await tenant.session({ scopes: ['execute'] });
    const called = await tenant.post('/v1/proxy/call', { session_id, tool: `${name}.tool` });
    expect(called).toMatchObject({ status: 502, body: { code: 'upstream_unreachable' } });
    const refreshed = await tenant.post(`/v1/proxy/upstreams/${name}/refresh`);
    expect(refreshed.body).toMatchObject({ healthy: false, upstream_status: status });
    for (const { body } of [dead, called, refreshed]) expect(JSON.stringify(body)).not.toContain(INTERNAL);
    expect(peer.requests).toContain(`POST /${name}`);
    // A worker may ask upstreams of before how they are, and try webhooks of before again.
    expect(peer.requests.filter((request) => !/^POST \/(up|hook)-\d+$/.test(request))).toEqual([]);
    expect([toPeer(), honeypot.accepted()]).toEqual([[], 0]);
  });

  it('leads no event stream inside when it is taken up again', async () => {
    peer.answer = (request, body, response) => {
      if (request.method === 'GET') {
        response.writeHead(307, inside()).end(INTERNAL);
        return;
      }
      const { id, method } = JSON.parse(body) as { id?: number; method: string };
      if (method === 'initialize') {
        const result = {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'p', version: '1' },
        };
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      } else if (id === undefined) {
        response.writeHead(202).end();
      } else if (method === 'tools/list') {
        // An id to go on from, and no answer yet.
        response.setHeader('content-type', 'text/event-stream').end('id: 1\nretry: 1\ndata:\n\n');
      } else {
        const error = { code: -32601, message: 'Method not found' };
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, error }));
      }
    };
    const { body } = await registerUpstream('stream', peer.url('stream'));
    expect(body).toMatchObject({ healthy: false, tools_discovered: 0 });
    expect(JSON.stringify(body)).not.toContain(INTERNAL);
    expect(peer.requests).toContain('GET /stream');
    expect([toPeer(), honeypot.accepted()]).toEqual([[], 0]);
  });

  it.each([
    ['a page', (response: ServerResponse) => response.end(`<h1>${INTERNAL}</h1>`)],
    ['a failure', (response: ServerResponse) => response.writeHead(500).end(INTERNAL)],
    [
      'a refusal',
      (response: ServerResponse) => response.writeHead(403, { 'www-authenticate': INTERNAL }).end(INTERNAL),
    ],
    ['no HTTP', (response: ServerResponse) => response.socket?.end(`SSH-2.0-${INTERNAL}\r\n`)],
    [
      'half an answer',
      (response: ServerResponse) => response.socket?.end(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${INTERNAL}`),
    ],
    [
      'an error of its own',
      (response: ServerResponse) =>
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -1, message: INTERNAL } })),
    ],
  ])('that answers with %s is not quoted', async (_what, answer) => {
    peer.answer = (_request, _body, response) => void answer(response);
    const upstream = await registerUpstream('quote', peer.url('quote'));
    expect(upstream.body).toMatchObject({ registered: true, healthy: false });
    const { body } = await registerWebhook(peer.url('quote'));
    await tenant.post(`/v1/webhooks/${String(body['webhook_id'])}/test`);
    await attemptsOf(tenant, body['webhook_id'], 1);
    const answers = await Promise.all([
      tenant.get(`/v1/webhooks/deliveries?webhook_id=${String(body['webhook_id'])}`),
      tenant.get('/v1/proxy/upstreams'),
      tenant.get('/v1/audit'),
    ]);
    for (const answered of [upstream, ...answers]) expect(JSON.stringify(answered.body)).not.toContain(INTERNAL);
  });
});
