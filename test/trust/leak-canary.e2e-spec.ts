import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AppProcess,
  BOOTSTRAP_TOKEN,
  Client,
  eventually,
  type FakeUpstream,
  type Receiver,
  RpcFailure,
  startFakeUpstream,
  startReceiver,
  startTestPostgres,
  startTestRedis,
  startWorker,
  startWorld,
  type TestPostgres,
  type TestRedis,
  text,
  type World,
} from '@haldir/test-support';
import { ApiDocument } from '../contract/api-document.js';
import { Belongings } from '../contract/belongings.js';
import { type Canary, Canaries, Secrets } from './leaks/canaries.js';
import { KEPT, SESSION_ID_COLUMNS, SHOWN } from './leaks/kept.js';
import { askRaw, dumpDatabase, dumpRedis, filesIn, monitorRedis } from './leaks/places.js';
import { type Push, pushesOf, VALUES } from './leaks/pushes.js';
import { randomText } from './leaks/traces.js';

interface Answer {
  canary: Canary | null;
  operation: string;
  status: number;
  /** Headers and body. */
  written: string;
}

const canaries = new Canaries();
const secrets = new Secrets();
const answers: Answer[] = [];
const rootKey = randomBytes(32).toString('base64url');

let postgres: TestPostgres;
let redis: TestRedis | null;
let monitor: { commands: string[]; stop(): void } | null = null;
let receiver: Receiver;
let upstream: FakeUpstream;
let world: World;
let worker: AppProcess;
let tenant: Client;

async function ask(by: Client, operation: string, push: Omit<Push, 'canary'>, canary: Canary | null): Promise<Answer> {
  const response = await fetch(by.url + push.path, {
    method: push.method,
    headers: { authorization: `Bearer ${by.key}`, ...push.headers },
    redirect: 'manual',
    ...(push.body === undefined ? {} : { body: push.body }),
  });
  const written = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
  if (canary) canary.status = response.status;
  const answer = { canary, operation, status: response.status, written };
  answers.push(answer);
  return answer;
}

beforeAll(async () => {
  [postgres, redis, receiver, upstream] = await Promise.all([
    startTestPostgres({ durable: false }),
    startTestRedis(),
    startReceiver(),
    startFakeUpstream('echo'),
  ]);
  world = await startWorld({
    environment: {
      DATABASE_OWNER_URL: postgres.url,
      ...(redis ? { REDIS_URL: redis.url } : {}),
      HALDIR_ROOT_KEYS: `1:${rootKey}`,
      LOG_LEVEL: 'trace',
    },
  });
  await world.sql('ALTER SYSTEM SET log_min_duration_statement = 0');
  await world.sql('SELECT pg_reload_conf()');
  if (redis) monitor = await monitorRedis(redis.url);
  worker = await startWorker(world.environment);
  tenant = await world.newTenant();
  secrets.keep('root-key', rootKey);
  secrets.keep('bootstrap-token', BOOTSTRAP_TOKEN);
  for (const { key } of [world.operator, tenant]) secrets.keep('api-key', (key ?? '').slice('hld_'.length + 10));
  await useSecrets();
  await pushEverywhere();
  await pushBeyondTheDocument();
  await pushThroughMcp();
  await pause(2_000);
}, 300_000);
afterAll(async () => {
  monitor?.stop();
  await worker.stop();
  await world.stop();
  await Promise.all([redis?.stop(), postgres.stop(), receiver.stop(), upstream.stop()]);
});

/** Has values made, stored, read, used and changed in every rightful way. */
async function useSecrets(): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const session = await tenant.session({ agent_id: 'reader', scopes: ['read', 'execute', 'spend:10'] });
  secrets.keep('session-id', session.slice('ses_'.length));
  for (let version = 0; version < 3; version++) {
    const value = randomText(24);
    secrets.keep('vault-value', value);
    const body = JSON.stringify({ name: 'vault', value: `"${value}é\n`, scope_required: 'read' });
    const headers = { ...json, 'idempotency-key': `v${version}` };
    const store = { method: 'POST', path: '/v1/secrets', body, headers };
    for (let tries = 0; tries < 2; tries++) await ask(tenant, 'storeSecret', store, null);
    const read = { method: 'GET', path: '/v1/secrets/vault' };
    await ask(tenant, 'getSecret', { ...read, headers: {} }, null);
    await ask(tenant, 'getSecret', { ...read, headers: { 'x-session-id': session } }, null);
    await ask(tenant, 'getSecret', { ...read, path: `${read.path}?session_id=${session}`, headers: {} }, null);
    // The same value where it does not belong, in ways that are refused.
    for (const broken of [
      `{"name":"vault","value":"${value}"`,
      `{"name":"vault","value":["${value}"]}`,
      `{"name":"vault","value":{"a":"${value}"}}`,
      `{"name":"vault","value":"${value}\\u0000"}`,
      `{"name":"","value":"${value}"}`,
      `{"name":"vault","value":"${value}","scope_required":7}`,
      `{"name":"vault","value":"${value}${'x'.repeat(1024 * 1024)}"}`,
      `value=${value}`,
    ]) {
      await ask(tenant, 'storeSecret', { ...store, body: broken, headers: json }, null);
    }
    await ask(tenant, 'storeSecret', { ...store, body: body.replace('vault', 'other') }, null);
  }
  await useSecretsUnseen();
  for (let i = 0; i < 2; i++) {
    const made = await askFor<{ secret: string; webhook_id: number }>('registerWebhook', '/v1/webhooks', {
      url: receiver.url('all'),
    });
    const rotated = await askFor<{ secret: string }>(
      'rotateWebhookSecret',
      `/v1/webhooks/${made.webhook_id}/rotate-secret`,
      {},
    );
    receiver.expectSecrets(made.webhook_id, [rotated.secret, made.secret]);
    for (const { secret } of [made, rotated]) secrets.keep('webhook-secret', secret.slice('whsec_'.length));
    const { key } = await askFor<{ key: string }>('createApiKey', '/v1/keys', { name: 'k' });
    const next = await askFor<{ key: string }>('rotateApiKey', `/v1/keys/${key.slice(0, 14)}/rotate`, {});
    for (const minted of [key, next.key]) secrets.keep('api-key', minted.slice('hld_'.length + 10));
    const holder = new Client(tenant.url, key);
    await ask(holder, 'listSecrets', { method: 'GET', path: '/v1/secrets', headers: {} }, null);
    // A key where it does not belong.
    for (const path of [`/v1/secrets?token=${key}`, `/${key}`]) {
      await ask(holder, 'misplaced key', { method: 'GET', path, headers: {} }, null);
    }
    const headers = { authorization: key, cookie: key, 'idempotency-key': key, 'user-agent': key };
    await ask(holder, 'misplaced key', { method: 'GET', path: '/v1/secrets', headers }, null);
  }
  await tenant.post('/v1/payments/authorize', { session_id: session, amount: 1 });
  await tenant.post('/v1/payments/authorize', { session_id: session, amount: 100 });
  await tenant.post('/v1/approvals/request', { session_id: session, action: 'a' });
  await tenant.post('/v1/audit', { session_id: session, action: 'a', cost_usd: 500 });
  await tenant.delete(`/v1/sessions/${session}`);
  await ask(tenant, 'getSession', { method: 'GET', path: `/v1/sessions/${session}`, headers: {} }, null);
  const dead = {
    method: 'POST',
    path: '/v1/audit',
    body: JSON.stringify({ session_id: session, action: 'a' }),
    headers: json,
  };
  await ask(tenant, 'logAction', dead, null);
}

/** Has values sent to an upstream that says them again, in calls that are answered, approved, refused and fail. */
async function useSecretsUnseen(): Promise<void> {
  const session = await tenant.session({ agent_id: 'user', scopes: ['read', 'execute'] });
  const value = randomText(24);
  secrets.keep('vault-value', value);
  const [inHeader, asHeader] = [randomText(24), randomText(24)];
  secrets.keep('vault-value', inHeader);
  secrets.keep('upstream-header', asHeader);
  await tenant.post('/v1/secrets', { name: 'inHeader', value: inHeader, bindings: [{ upstream: 'used' }] });
  for (const key of ['headers', 'headers', null]) {
    const headers = { authorization: 'Bearer {{vault:inHeader}}', 'x-key': asHeader, 'x-none': '{{vault:none}}' };
    const body = { name: 'used', url: upstream.url, headers: key ? headers : { ...headers, 'x-none': 'none' } };
    const kept: Record<string, string> = key ? { 'idempotency-key': key } : {};
    const push = {
      method: 'POST',
      path: '/v1/proxy/upstreams',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...kept },
    };
    await ask(tenant, 'registerUpstream', push, null);
  }
  await tenant.post('/v1/secrets', { name: 'used', value, bindings: [{ upstream: 'used', tool: 'echo' }] });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const call = async (reference: string): Promise<void> => {
    const args = { a: `Bearer ${reference}`, b: [reference] };
    const rest = JSON.stringify({ tool: 'used.echo', arguments: args, session_id: session });
    const mcp = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
      params: { name: 'used.echo', arguments: args },
    });
    for (const [path, body] of [
      ['/v1/proxy/call', rest],
      ['/mcp', mcp],
    ] as const) {
      const kept = { ...headers, 'x-session-id': session, 'idempotency-key': randomText(20) };
      const push = { method: 'POST', path, body, headers: kept };
      for (let tries = 0; tries < 2; tries++) await ask(tenant, 'call with a secret', push, null);
    }
  };
  const usual = upstream.answer;
  const said = (again: unknown): string => JSON.stringify(again);
  for (const answer of [
    (again: unknown) => text(said(again)),
    (again: unknown) => text(Buffer.from(said(again)).toString('base64')),
    (again: unknown) => ({ content: [], structuredContent: again, isError: true }),
    (again: unknown) => {
      throw new RpcFailure(-32602, said(again));
    },
    (again: unknown) => said(again),
  ]) {
    upstream.answer = ({ arguments: again }) => answer(again);
    await call('{{vault:used}}');
  }
  expect(upstream.calls.filter((each) => each.arguments['a'] === `Bearer ${value}`)).toHaveLength(10);
  upstream.answer = usual;
  const { body } = await tenant.post('/v1/approvals/rules', { type: 'all' });
  await call('{{vault:used}}');
  await tenant.delete(`/v1/approvals/rules/${String(body['id'])}`);
  for (const refused of ['{{vault:vault}}', '{{vault:used', '{{vault:none}}']) await call(refused);
}

/** Asks twice with one Idempotency-Key, so that the answer is kept for a retry, too. */
async function askFor<Body>(operation: string, path: string, body: object): Promise<Body> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomText(20) };
  const push = { method: 'POST', path, body: JSON.stringify(body), headers };
  await ask(tenant, operation, push, null);
  const { status, written } = await ask(tenant, operation, push, null);
  if (status > 299) throw new Error(`${operation}: ${status}`);
  return JSON.parse(written.slice(written.indexOf('\n'))) as Body;
}

async function pushEverywhere(): Promise<void> {
  const document = await ApiDocument.servedBy(world.operator);
  const neighbours = { upstreamUrl: upstream.url, receiverUrl: receiver.url('pushed') };
  const belongings = await Belongings.of(await world.newTenant(), neighbours);
  const origin = new URL(receiver.url('')).origin;
  const pushes: Push[] = [];
  for (const operation of document.operations) {
    const input = await belongings.input(operation.id);
    pushes.push(...pushesOf(operation, input, canaries, origin));
  }
  const work = async (): Promise<void> => {
    for (let push = pushes.shift(); push; push = pushes.shift()) {
      await ask(belongings.client, push.canary.operation, push, push.canary);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Paths that nobody serves, methods that no path takes, bytes that are no HTTP, and a protocol beside REST. */
async function pushBeyondTheDocument(): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const push = async (place: string, request: (text: string) => Partial<Omit<Push, 'canary'>>): Promise<void> => {
    const canary = canaries.next('beyond the document', place);
    const made = { method: 'GET', path: '/', headers: {}, ...request(canary.text) };
    await ask(tenant, canary.operation, made, canary);
  };
  await push('unknown path', (text) => ({ path: `/v1/${text}` }));
  await push('unknown path with a query', (text) => ({ path: `/nowhere?token=${text}` }));
  await push('wrong method', (text) => ({ method: 'PUT', path: `/v1/secrets/${text}`, headers: json, body: '{}' }));
  await push('broken escape', (text) => ({ path: `/v1/secrets/%zz${text}` }));
  await push('docs', (text) => ({ path: `/docs/${text}` }));
  await push('broken query', (text) => ({ path: `/v1/audit?limit=${text}%zz` }));
  for (const bytes of [
    (text: string) => `${text}\r\n\r\n`,
    (text: string) => `GET /v1/${text} HTTP/9.9\r\n\r\n`,
    (text: string) => `GET /v1 HTTP/1.1\r\nHost: a\r\n${text} broken\r\n\r\n`,
    (text: string) => `GET /v1 HTTP/1.1\r\nHost: a\r\nX: ${text.repeat(2_000)}\r\n\r\n`,
    (text: string) => `POST /v1/secrets HTTP/1.1\r\nHost: a\r\nContent-Length: ${text}\r\n\r\n`,
    (text: string) => `POST /v1/secrets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${text}\r\n`,
  ]) {
    const canary = canaries.next('beyond the document', 'no HTTP');
    canary.status = 400;
    const written = await askRaw(tenant.url, bytes(canary.text));
    answers.push({ canary, operation: canary.operation, status: 400, written });
  }
}

/** Every argument of every tool that /mcp offers, and members of the messages around them. */
async function pushThroughMcp(): Promise<void> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const send = (
    by: Client,
    operation: string,
    message: object,
    canary: Canary | null,
    session?: string,
  ): Promise<Answer> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, ...message });
    const named = session === undefined ? headers : { ...headers, 'x-session-id': session };
    return ask(by, operation, { method: 'POST', path: '/mcp', headers: named, body }, canary);
  };
  const read = { method: 'tools/call', params: { name: 'getSecret', arguments: { name: 'vault' } } };
  await send(tenant, 'mcp getSecret', read, null);

  const owner = await world.newTenant();
  await owner.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  let session_id = '';
  const valid = (): Record<string, unknown> => ({
    session_id,
    name: 'n',
    value: 'v',
    amount: 1,
    action: 'a',
    agent_id: 'a',
    scope: 'read',
  });
  for (const audience of ['operator', 'agent']) {
    session_id = await owner.session({ scopes: ['read', 'execute', 'spend:10'] });
    const session = audience === 'agent' ? session_id : undefined;
    const listed = await send(owner, 'mcp tools/list', { method: 'tools/list' }, null, session);
    const { result } = JSON.parse(listed.written.slice(listed.written.indexOf('\n'))) as {
      result: { tools: { name: string; inputSchema: { properties?: Record<string, object> } }[] };
    };
    expect(result.tools.length).toBeGreaterThan(4);
    for (const { name, inputSchema } of result.tools) {
      const own = name.split('.').at(-1) ?? name;
      const members = Object.keys(inputSchema.properties ?? { message: {} });
      const given = Object.fromEntries(Object.entries(valid()).filter(([member]) => members.includes(member)));
      for (const member of [...members, 'unknown']) {
        for (const [as, write] of Object.entries(VALUES)) {
          const canary = canaries.next(own, `${member} as ${as}`);
          const params = { name, arguments: { ...given, [member]: write(canary.text) } };
          await send(owner, `mcp ${own}`, { method: 'tools/call', params }, canary, session);
        }
      }
    }
  }
  for (const [place, message] of Object.entries({
    method: (text: string) => ({ method: text }),
    'a tool’s name': (text: string) => ({ method: 'tools/call', params: { name: text, arguments: {} } }),
    'a list of params': (text: string) => ({ method: 'tools/list', params: [text] }),
    'params as a text': (text: string) => ({ method: 'tools/list', params: text }),
    'arguments as a text': (text: string) => ({ method: 'tools/call', params: { name: 'up.echo', arguments: text } }),
    cursor: (text: string) => ({ method: 'tools/list', params: { cursor: text } }),
    'client info': (text: string) => ({
      method: 'initialize',
      params: { protocolVersion: text, clientInfo: { name: text } },
    }),
    'an unknown member': (text: string) => ({ method: 'ping', [text]: text }),
    jsonrpc: (text: string) => ({ jsonrpc: text, method: 'ping' }),
  })) {
    const canary = canaries.next('mcp', place);
    await send(owner, 'mcp', message(canary.text), canary, session_id);
  }
}

const nameOf = (canary: Canary | null): string => (canary ? `${canary.operation} ${canary.place}` : 'somebody');

it('pushed a canary through every operation of the served document, valid and broken', () => {
  expect(canaries.count).toBeGreaterThan(1_000);
  const accepted = answers.filter(({ canary, status }) => canary && status < 300).length;
  expect(accepted).toBeGreaterThan(100);
});

it('no answer is a failure of ours', () => {
  expect(
    answers
      .filter(({ status }) => status >= 500)
      .map(({ canary, operation, status }) => `${operation} ${nameOf(canary)} ${status}`),
  ).toEqual([]);
});

it('no refusal repeats what it was sent, nor a secret', () => {
  const leaks = answers
    .filter(({ status }) => status >= 400)
    .flatMap(({ operation, written }) => [
      ...canaries.tracesIn(written).map(({ form, canary }) => `${operation}: ${form} of ${nameOf(canary)}`),
      ...secrets.tracesIn(written).map((trace) => `${operation}: ${trace}`),
    ]);
  expect(leaks).toEqual([]);
});

it('a secret is in the answer that was asked for it, and in no other', () => {
  const kinds = ['vault-value', 'api-key', 'webhook-secret', 'root-key', 'bootstrap-token'];
  const found = answers.flatMap(({ operation, status, written }) =>
    secrets.tracesIn(written, ...kinds).map((trace) => `${operation} ${status}: ${trace.replace(/ \d+ raw$/, '')}`),
  );
  expect([...new Set(found)].sort()).toEqual(SHOWN);
});

it('the log of no process says anything of it, at its most talkative', () => {
  for (const app of [...world.apis, worker]) {
    expect(app.output()).toContain('"level":20');
    expect(canaries.tracesIn(app.output()).map(({ form, canary }) => `${form} of ${nameOf(canary)}`)).toEqual([]);
    expect(secrets.tracesIn(app.output())).toEqual([]);
  }
});

it('metrics say nothing of it', async () => {
  const shown = await Promise.all(
    [...world.apis, worker].map(({ url }) => fetch(`${url}/metrics`).then((response) => response.text())),
  );
  shown.push(JSON.stringify((await tenant.get('/v1/metrics')).body));
  for (const text of shown) expect([canaries.tracesIn(text), secrets.tracesIn(text)]).toEqual([[], []]);
});

it('the database keeps what it was given to keep, where that belongs', async () => {
  const kept: Record<string, Set<string>> = {};
  const sessions = new Set<string>();
  const leaks: string[] = [];
  for (const { place, value } of await dumpDatabase(world)) {
    for (const { form, canary } of canaries.tracesIn(value)) {
      if (form !== 'raw') leaks.push(`${place}: ${form}`);
      const name = nameOf(canary).replace(/ as .*/, '');
      (kept[name] ??= new Set()).add(place);
    }
    for (const trace of secrets.tracesIn(value)) {
      if (trace.startsWith('session-id')) sessions.add(place);
      else leaks.push(`${place}: ${trace}`);
    }
  }
  expect(leaks).toEqual([]);
  expect([...sessions].filter((place) => !SESSION_ID_COLUMNS.includes(place))).toEqual([]);
  const unexpected = Object.entries(kept).flatMap(([name, places]) =>
    [...places].filter((place) => !KEPT[name]?.includes(place)).map((place) => `${name}: ${place}`),
  );
  expect(unexpected).toEqual([]);
  expect(Object.keys(KEPT).filter((name) => !kept[name]?.has(KEPT[name]?.[0] ?? ''))).toEqual([]);
});

it('jobs and everything else in Redis say nothing of it', async () => {
  if (!redis || !monitor) return;
  expect(monitor.commands.length).toBeGreaterThan(100);
  for (const written of [...(await dumpRedis(redis.url)), Buffer.from(monitor.commands.join('\n'))]) {
    expect(canaries.tracesIn(written).map(({ form, canary }) => `${form} of ${nameOf(canary)}`)).toEqual([]);
    expect(secrets.tracesIn(written)).toEqual([]);
  }
});

it('no file of the database server has a secret, its log of every statement included', async () => {
  await world.sql('CHECKPOINT');
  const files = filesIn(postgres.dir);
  expect(files.some(({ name, bytes }) => name === join('logs', 'postgres.log') && bytes.includes('Parameters: '))).toBe(
    true,
  );
  const kinds = ['vault-value', 'api-key', 'webhook-secret', 'root-key', 'bootstrap-token'];
  for (const { name, bytes } of files) expect([name, secrets.tracesIn(bytes, ...kinds)]).toEqual([name, []]);
});

it('webhooks tell no secret', async () => {
  await eventually(() => expect(receiver.arrivals.length).toBeGreaterThan(2));
  for (const { raw, headers } of receiver.arrivals) {
    expect(secrets.tracesIn(`${JSON.stringify(headers)}${raw}`, 'vault-value', 'api-key', 'webhook-secret')).toEqual(
      [],
    );
  }
});
