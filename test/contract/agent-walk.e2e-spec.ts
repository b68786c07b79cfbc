import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BareMcp, Client, type FakeUpstream, startFakeUpstream, startWorld, type World } from '@haldir/test-support';
import { ApiDocument, type Json, type Operation, pathOf } from './api-document.js';
import { Belongings } from './belongings.js';
import { type Input } from './contract-client.js';

/** What an agent key may do, and what it is answered about what is another agent's. Everything else is closed to it. */
const OPEN: Readonly<Record<string, { others: number }>> = {
  createSession: { others: 403 },
  getSession: { others: 404 },
  revokeSession: { others: 404 },
  // Whether an unknown session holds a scope is a question with an answer: no.
  checkPermission: { others: 200 },
  proxyCall: { others: 401 },
  getSecret: { others: 401 },
  getSecretVersion: { others: 401 },
  authorizePayment: { others: 401 },
  holdPayment: { others: 401 },
  capturePayment: { others: 404 },
  voidPayment: { others: 404 },
  logAction: { others: 401 },
  requestApproval: { others: 401 },
  checkApproval: { others: 404 },
  readApprovalDetails: { others: 404 },
};
const OPEN_TOOLS = [
  ...['checkPermission', 'getSecret', 'authorizePayment', 'logAction', 'requestApproval', 'checkApproval'],
];

/** Everything that holds an agent, but for what looks at upstreams and clocks leave there by themselves. */
const HOLDING: Readonly<Record<string, string>> = {
  api_key: "to_jsonb(t) - 'last_used_at'",
  proxy_upstream:
    'jsonb_build_array(name, url, headers, prefixed, tools_max_age, timeout_seconds, max_answer_bytes, concurrency, revision)',
  proxy_tool: "to_jsonb(t) - 'last_seen_at'",
  session: 'to_jsonb(t)',
  approval_request: 'to_jsonb(t)',
};
for (const table of [
  ...['tenant', 'agent_freeze', 'proxy_policy', 'proxy_tool_price', 'approval_rule', 'approval_settings', 'audit_rule'],
  ...['secret', 'secret_version', 'budget', 'webhook', 'person', 'membership', 'invitation', 'sign_in'],
  ...['passkey', 'taken_challenge', 'oidc_identity', 'decision_challenge', 'approval_grant'],
  'notification_choice',
])
  Object.assign(HOLDING, { [table]: 'to_jsonb(t)' });

/** What it may change: sessions of its own, and its requests as long as nobody has decided. */
const NOT_ITS_OWN: Readonly<Record<string, string>> = {
  session: "t.agent_id <> 'walker'",
  approval_request: "t.agent_id <> 'walker' OR t.status <> 'pending'",
};

let world: World;
let upstream: FakeUpstream;
let served: ApiDocument;
let owner: Belongings;
/** An agent key whose ceiling has every scope that it can name. */
let walker: Client;
beforeAll(async () => {
  [world, upstream] = await Promise.all([startWorld(), startFakeUpstream('echo')]);
  served = await ApiDocument.servedBy(world.operator);
  const neighbours = { upstreamUrl: upstream.url, receiverUrl: new URL('/hook', upstream.url).href };
  owner = await Belongings.of(await world.newTenant(), neighbours);
  walker = await agentKey('walker');
});
afterAll(async () => {
  await Promise.all([world.stop(), upstream.stop()]);
});

async function agentKey(agent_id: string): Promise<Client> {
  const agent = { agent_id, scopes: ['admin', 'execute', 'read', 'write', 'spend'], ttl: 2_592_000, spend_limit: 1e9 };
  const { status, body } = await owner.client.post('/v1/keys', { tier: 'enterprise', agent });
  if (status !== 201) throw new Error(`no agent key: ${status}`);
  return new Client(owner.client.url, String(body['key']));
}

/** What holds the agent, as it is now. */
async function holding(): Promise<Json> {
  const parts = Object.entries(HOLDING).map(
    ([table, row]) =>
      `SELECT '${table}' AS what, md5(coalesce(string_agg((${row})::text, ',' ORDER BY (${row})::text), '')) AS digest
         FROM ${table} t WHERE ${NOT_ITS_OWN[table] ?? 'true'}`,
  );
  const rows = await world.sql<{ what: string; digest: string }>(parts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ what, digest }) => [what, digest]));
}

const send = (
  client: Client,
  operation: Operation,
  { path, query, body, headers }: Input,
): ReturnType<Client['send']> => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) search.set(name, String(value));
  const address = pathOf(operation, path ?? {}) + (search.size > 0 ? `?${search.toString()}` : '');
  return client.send(operation.method, address, body, headers);
};

/** The same about the walker's own agent; what only its key can have asked for, it asks for. */
async function owned(operation: Operation, input: Input): Promise<Input> {
  const session = await owner.client.session({ agent_id: 'walker', scopes: ['admin'], spend_limit: 5 });
  const names = Object.keys(input.path ?? {});
  const path: Record<string, string> = {
    ...input.path,
    ...(names.includes('session_id') ? { session_id: session } : {}),
  };
  if (operation.id === 'capturePayment' || operation.id === 'voidPayment') {
    const { body } = await walker.post('/v1/payments/hold', { session_id: session, amount: 1 });
    path['payment_id'] = String(body['authorization_id']);
  }
  if (operation.id === 'checkApproval' || operation.id === 'readApprovalDetails') {
    const asked = { session_id: session, tool: 't', action: 'a', reason: 'r' };
    path['request_id'] = String((await walker.post('/v1/approvals/request', asked)).body['request_id']);
  }
  const given = input.body as Json | undefined;
  const body = given && {
    ...given,
    ...('session_id' in given ? { session_id: session } : {}),
    ...('agent_id' in given ? { agent_id: 'walker' } : {}),
  };
  const headers = operation.id.startsWith('getSecret') ? { 'x-session-id': session } : undefined;
  return { ...input, path, ...(body ? { body } : {}), ...(headers ? { headers } : {}) };
}

it('an agent key with every scope changes nothing that holds it, in any operation, with its own ids and with others’', async () => {
  const operations = served.operations.filter(({ secured, id }) => secured || id === 'createApiKey');
  expect(Object.keys(OPEN).filter((id) => !operations.some((operation) => operation.id === id))).toEqual([]);
  for (const operation of operations) {
    const open = OPEN[operation.id];
    for (const whose of ['others', 'own'] as const) {
      let input = await owner.input(operation.id);
      if (whose === 'own') input = await owned(operation, input);
      else if (operation.id.startsWith('getSecret'))
        input = { ...input, headers: { 'x-session-id': await owner.client.session({ scopes: ['admin'] }) } };
      const before = await holding();
      const { status, body } = await send(walker, operation, input);
      const code = (body as Json | undefined)?.['code'];
      if (!open) expect([operation.id, status, code]).toEqual([operation.id, 403, 'agent_key_not_allowed']);
      else if (whose === 'others') expect([operation.id, status]).toEqual([operation.id, open.others]);
      else
        expect([operation.id, Math.floor(status / 100), body], JSON.stringify(body)).toMatchObject([
          operation.id,
          2,
          {},
        ]);
      expect([operation.id, whose, await holding()]).toEqual([operation.id, whose, before]);
    }
  }
});

it('an agent key with every scope changes nothing that holds it, by any of Haldir’s own tools', async () => {
  const { url, key } = walker;
  const namesOf = async (client: BareMcp): Promise<string[]> =>
    ((await client.ask('tools/list')).message?.result?.['tools'] as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => !name.includes('echo'));
  const agent = new BareMcp({ url, key: key ?? '' });
  const operator = new BareMcp({ url: owner.client.url, key: owner.client.key ?? '' });
  expect(await namesOf(agent)).toEqual(OPEN_TOOLS);
  const other = await owner.client.session({ agent_id: 'other', scopes: ['admin'], spend_limit: 5 });
  const asked = { session_id: other, tool: 't', action: 'a', reason: 'r' };
  const { body } = await owner.client.post('/v1/approvals/request', asked);
  const args = {
    ...{
      session_id: other,
      agent_id: 'other',
      scopes: ['admin'],
      scope: 'admin',
      name: 'planted',
      value: 'correct horse',
    },
    ...{ amount: 1, tool: 't', action: 'a', reason: 'r', request_id: body['request_id'] },
  };
  for (const name of new Set([...OPEN_TOOLS, ...(await namesOf(operator))])) {
    for (const client of [agent, new BareMcp({ url, key: key ?? '', session: other })]) {
      const before = await holding();
      const { status, message } = await client.call(name, args);
      if (client !== agent) expect([name, status]).toEqual([name, 403]);
      else if (!OPEN_TOOLS.includes(name)) expect([name, message?.error?.code]).toEqual([name, -32602]);
      if (name === 'checkApproval' && client === agent)
        expect(message?.result).toMatchObject({ isError: true, structuredContent: { code: 'not_found' } });
      expect([name, await holding()]).toEqual([name, before]);
    }
  }
  expect((await owner.client.get(`/v1/sessions/${other}`)).body).toMatchObject({ is_valid: true, spent: 0, held: 0 });
});

it('the documents say of agent keys what was walked', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs/agent-keys.md'), 'utf8');
  const [, operations = '', tools = ''] = /Operations:\n([\s\S]*?)\nTools of Haldir([\s\S]*)$/.exec(text) ?? [];
  const named = (table: string): string[] => [...table.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => name);
  expect(named(operations).sort()).toEqual(Object.keys(OPEN).sort());
  expect(named(tools)).toEqual(OPEN_TOOLS);
});
