import { createECDH, randomBytes } from 'node:crypto';
import {
  Client,
  type FakeUpstream,
  pageOf,
  type PasskeyOptionsJson,
  Person,
  type Receiver,
  RpcFailure,
  SoftwareAuthenticator,
  text,
  tokenOf,
} from '@haldir/test-support';
import { type Requests } from './requests.js';
import { randomText } from './traces.js';

/** Who uses them, and where they are sent. */
interface Places {
  tenant: Client;
  receiver: Receiver;
  upstream: FakeUpstream;
}

/** Has values made, stored, read, used and changed in every rightful way. */
export async function useSecrets(requests: Requests, places: Places): Promise<void> {
  const { tenant, receiver } = places;
  const json = { 'content-type': 'application/json' };
  const session = await tenant.session({ agent_id: 'reader', scopes: ['read', 'execute', 'spend:10'] });
  requests.secrets.keep('session-id', session.slice('ses_'.length));
  for (let version = 0; version < 3; version++) {
    const value = randomText(24);
    requests.secrets.keep('vault-value', value);
    const body = JSON.stringify({ name: 'vault', value: `"${value}é\n`, scope_required: 'read' });
    const headers = { ...json, 'idempotency-key': `v${version}` };
    const store = { method: 'POST', path: '/v1/secrets', body, headers };
    for (let tries = 0; tries < 2; tries++) await requests.ask(tenant, 'storeSecret', store, null);
    const read = { method: 'GET', path: '/v1/secrets/vault' };
    await requests.ask(tenant, 'getSecret', { ...read, headers: {} }, null);
    await requests.ask(tenant, 'getSecret', { ...read, headers: { 'x-session-id': session } }, null);
    await requests.ask(tenant, 'getSecret', { ...read, path: `${read.path}?session_id=${session}`, headers: {} }, null);
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
      await requests.ask(tenant, 'storeSecret', { ...store, body: broken, headers: json }, null);
    }
    await requests.ask(tenant, 'storeSecret', { ...store, body: body.replace('vault', 'other') }, null);
  }
  await useSecretsUnseen(requests, places);
  for (let i = 0; i < 2; i++) {
    const made = await requests.askFor<{ secret: string; webhook_id: number }>(
      tenant,
      'registerWebhook',
      '/v1/webhooks',
      {
        url: receiver.url('all'),
      },
    );
    const rotated = await requests.askFor<{ secret: string }>(
      tenant,
      'rotateWebhookSecret',
      `/v1/webhooks/${made.webhook_id}/rotate-secret`,
      {},
    );
    receiver.expectSecrets(made.webhook_id, [rotated.secret, made.secret]);
    for (const { secret } of [made, rotated]) requests.secrets.keep('webhook-secret', secret.slice('whsec_'.length));
    const { key } = await requests.askFor<{ key: string }>(tenant, 'createApiKey', '/v1/keys', { name: 'k' });
    const next = await requests.askFor<{ key: string }>(
      tenant,
      'rotateApiKey',
      `/v1/keys/${key.slice(0, 14)}/rotate`,
      {},
    );
    for (const minted of [key, next.key]) requests.secrets.keep('api-key', minted.slice('hld_'.length + 10));
    const holder = new Client(tenant.url, key);
    await requests.ask(holder, 'listSecrets', { method: 'GET', path: '/v1/secrets', headers: {} }, null);
    // A key where it does not belong.
    for (const path of [`/v1/secrets?token=${key}`, `/${key}`]) {
      await requests.ask(holder, 'misplaced key', { method: 'GET', path, headers: {} }, null);
    }
    const headers = { authorization: key, cookie: key, 'idempotency-key': key, 'user-agent': key };
    await requests.ask(holder, 'misplaced key', { method: 'GET', path: '/v1/secrets', headers }, null);
  }
  await signIn(requests, tenant, receiver);
  await tenant.post('/v1/payments/authorize', { session_id: session, amount: 1 });
  await tenant.post('/v1/payments/authorize', { session_id: session, amount: 100 });
  await tenant.post('/v1/approvals/request', { session_id: session, action: 'a' });
  await tenant.post('/v1/audit', { session_id: session, action: 'a', cost_usd: 500 });
  await tenant.delete(`/v1/sessions/${session}`);
  await requests.ask(tenant, 'getSession', { method: 'GET', path: `/v1/sessions/${session}`, headers: {} }, null);
  const dead = {
    method: 'POST',
    path: '/v1/audit',
    body: JSON.stringify({ session_id: session, action: 'a' }),
    headers: json,
  };
  await requests.ask(tenant, 'logAction', dead, null);
}

/** Has a person invited, who signs in, asks for what is theirs and signs out; and a link that is not good. */
async function signIn(requests: Requests, tenant: Client, receiver: Receiver): Promise<void> {
  const body = { email: 'alice@example.com', role: 'owner' };
  const { link } = await requests.askFor<{ link: string }>(tenant, 'invitePerson', '/v1/people', body);
  const token = tokenOf(link);
  requests.secrets.keep('sign-in-link', token);
  const json = { 'content-type': 'application/json', origin: pageOf(tenant.url), authorization: '' };
  const push = { method: 'POST', path: '/v1/sign-in/link', body: JSON.stringify({ token }), headers: json };
  const { written } = await requests.ask(tenant, 'signInByLink', push, null);
  const alice = signedIn(requests, tenant, written);
  await requests.ask(tenant, 'signInByLink again', push, null);
  await signInByPasskey(requests, tenant, alice);
  await subscribeToPush(requests, alice, receiver);
  const shown = [await alice.get('/v1/me'), await alice.get('/v1/me/sign-ins'), await alice.get('/v1/people')];
  shown.push(await alice.post('/v1/webhooks', {}), await alice.post('/v1/me/sign-out'), await alice.get('/v1/me'));
  for (const { status, body: said } of shown)
    requests.answers.push({ canary: null, operation: 'as a person', status, written: JSON.stringify(said) });
}

/** Has the person make a passkey, and sign in with it; what was signed is not good twice. */
async function signInByPasskey(requests: Requests, tenant: Client, person: Person): Promise<void> {
  const device = new SoftwareAuthenticator(pageOf(tenant.url));
  const made = await person.post<PasskeyOptionsJson>('/v1/me/passkeys/options');
  await person.post('/v1/me/passkeys', { credential: device.create(made.body) });
  const json = { 'content-type': 'application/json', origin: pageOf(tenant.url), authorization: '' };
  const asked = await person.post<PasskeyOptionsJson>('/v1/sign-in/passkey/options');
  const credential = device.get(asked.body);
  requests.secrets.keep('passkey-signature', credential.response.signature);
  const push = { method: 'POST', path: '/v1/sign-in/passkey', body: JSON.stringify({ credential }), headers: json };
  const { written } = await requests.ask(tenant, 'signInByPasskey', push, null);
  const again = signedIn(requests, tenant, written);
  await requests.ask(tenant, 'signInByPasskey again', push, null);
  const shown = [await person.get('/v1/me/passkeys'), await again.get('/v1/me'), await again.get('/v1/me/sign-ins')];
  for (const { status, body: said } of shown)
    requests.answers.push({ canary: null, operation: 'as a person', status, written: JSON.stringify(said) });
}

/** Has the person be told in a browser: of where and how nobody reads anything, not in what is refused either. */
async function subscribeToPush(requests: Requests, person: Person, receiver: Receiver): Promise<void> {
  const [path, auth] = [randomText(24), randomBytes(16).toString('base64url')];
  requests.secrets.keep('push-endpoint', path);
  requests.secrets.keep('push-auth', auth);
  const keys = { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth };
  const endpoint = receiver.url(path);
  const shown = [await person.post('/v1/me/push', { endpoint, keys }), await person.get('/v1/me/push')];
  shown.push(await person.post('/v1/me/push', { endpoint: `https://10.0.0.1/${path}`, keys }));
  shown.push(await person.post('/v1/me/push', { endpoint, keys: { ...keys, p256dh: auth } }));
  for (const { status, body: said } of shown)
    requests.answers.push({ canary: null, operation: 'as a person', status, written: JSON.stringify(said) });
}

/** Whoever an answer signs in; their tokens are kept as secrets. */
function signedIn(requests: Requests, { url }: Client, written: string): Person {
  const [, cookie = ''] = /__Host-haldir=([\w-]{43})/.exec(written) ?? [];
  const [, pageToken = ''] = /"page_token":"([\w-]{43})"/.exec(written) ?? [];
  requests.secrets.keep('person-cookie', cookie);
  requests.secrets.keep('page-token', pageToken);
  return new Person(url, { cookie: `__Host-haldir=${cookie}`, pageToken }, '');
}

/** Has values sent to an upstream that says them again, in calls that are answered, approved, refused and fail. */
async function useSecretsUnseen(requests: Requests, { tenant, upstream }: Places): Promise<void> {
  const session = await tenant.session({ agent_id: 'user', scopes: ['read', 'execute'] });
  const value = randomText(24);
  requests.secrets.keep('vault-value', value);
  const [inHeader, asHeader] = [randomText(24), randomText(24)];
  requests.secrets.keep('vault-value', inHeader);
  requests.secrets.keep('upstream-header', asHeader);
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
    await requests.ask(tenant, 'registerUpstream', push, null);
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
      for (let tries = 0; tries < 2; tries++) await requests.ask(tenant, 'call with a secret', push, null);
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
