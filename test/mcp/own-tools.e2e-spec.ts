import {
  type Balancer,
  type BareMcp,
  type FakeUpstream,
  type McpReply,
  saidBy,
  Scenario,
  startBalancer,
  startWorld,
  type World,
} from '@haldir/test-support';
import { Ajv2020 } from 'ajv/dist/2020.js';

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;

beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
  scenario = await Scenario.of(world, ['echo'], { balancer, scopes: ['read', 'spend:10'] });
});
afterAll(async () => {
  await scenario.up.stop();
  await balancer.stop();
  await world.stop();
});

interface Tool {
  name: string;
  inputSchema: { required?: string[]; properties: Record<string, unknown> };
  outputSchema: object;
}
const toolsOf = async (client: BareMcp): Promise<Tool[]> =>
  (await client.ask('tools/list')).message?.result?.['tools'] as Tool[];

const OPERATOR = [
  ...['createSession', 'getSession', 'revokeSession', 'checkPermission', 'storeSecret', 'getSecret'],
  ...['authorizePayment', 'logAction', 'getAuditTrail', 'getSpend'],
];

it('gives a key without a session the ten tools of an operator, and none of an upstream', async () => {
  const tools = await toolsOf(scenario.operator());
  expect(tools.map(({ name }) => name)).toEqual(OPERATOR);
  expect((await scenario.operator().call('up.echo')).message?.error?.message).toContain('createSession');
});

it('gives an agent six, none of which asks for its session', async () => {
  const tools = (await toolsOf(scenario.agent())).filter(({ name }) => !name.includes('__'));
  expect(tools).toHaveLength(6);
  for (const { inputSchema } of tools) {
    expect(inputSchema.properties).not.toHaveProperty('session_id');
    expect(inputSchema.required ?? []).not.toContain('session_id');
  }
  for (const name of ['createSession', 'storeSecret', 'getAuditTrail'])
    expect((await scenario.agent().call(name)).message?.error?.code).toBe(-32602);
});

it('does for an operator what the REST operations do, in the shape it promised', async () => {
  const operator = scenario.operator();
  const ajv = new Ajv2020({ strict: false });
  const shapes = new Map((await toolsOf(operator)).map((tool) => [tool.name, ajv.compile(tool.outputSchema)]));
  const call = async (name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const reply = await operator.call(name, args);
    const { isError, structuredContent } = reply.message?.result ?? {};
    expect([name, isError ?? false]).toEqual([name, false]);
    expect(structuredContent).toEqual(saidBy(reply));
    const validate = shapes.get(name);
    expect([validate?.(structuredContent), validate?.errors]).toEqual([true, null]);
    return structuredContent as Record<string, unknown>;
  };

  const { session_id } = await call('createSession', { agent_id: 'made', scopes: ['read'], spend_limit: 5 });
  expect(await call('getSession', { session_id })).toMatchObject({ agent_id: 'made', remaining_budget: 5 });
  expect(await call('checkPermission', { session_id, scope: 'read' })).toMatchObject({ allowed: true });
  expect(await call('checkPermission', { session_id, scope: 'admin' })).toMatchObject({ allowed: false });
  expect(await call('storeSecret', { name: 'stripe', value: 'sk_1' })).toMatchObject({ stored: true, version: 1 });
  expect(await call('getSecret', { name: 'stripe' })).toEqual({ name: 'stripe', value: 'sk_1' });
  expect(await call('getSecret', { name: 'stripe', session_id })).toEqual({ name: 'stripe', value: 'sk_1' });
  expect(await call('authorizePayment', { session_id, amount: 2 })).toMatchObject({ remaining_budget: 3 });
  expect(await call('logAction', { session_id, action: 'thought', cost_usd: 0.5 })).toMatchObject({ logged: true });
  expect(await call('getSpend', { session_id })).toMatchObject({
    total_usd: 0.5,
    payments: { total_usd: 2, count: 1 },
  });
  const trail = await call('getAuditTrail', { session_id, flagged: false, limit: 3 });
  expect((trail['entries'] as { action: string }[]).map(({ action }) => action)).toEqual([
    ...['thought', 'payment_authorized', 'secret_read'],
  ]);
  const next = await call('getAuditTrail', { session_id, flagged: false, limit: 3, cursor: trail['next_cursor'] });
  expect((next['entries'] as { action: string }[]).at(-1)?.action).toBe('session_created');
  expect(await call('revokeSession', { session_id })).toEqual({ revoked: true, session_id });
  expect(saidBy(await operator.call('getSession', { session_id }))).toMatchObject({ code: 'not_found' });
});

it('does for an agent what its session may, and explains what it may not', async () => {
  const agent = scenario.agent();
  await scenario.tenant.post('/v1/secrets', { name: 'open', value: 'mellon' });
  await scenario.tenant.post('/v1/secrets', { name: 'closed', value: 'x', scope_required: 'root' });
  expect(saidBy(await agent.call('getSecret', { name: 'open' }))).toEqual({ name: 'open', value: 'mellon' });
  const refused = await agent.call('getSecret', { name: 'closed' });
  expect(refused.message?.result?.isError).toBe(true);
  expect(saidBy(refused)).toMatchObject({ error: expect.stringContaining('scope') });

  expect(saidBy(await agent.call('authorizePayment', { amount: 4 }))).toMatchObject({ remaining_budget: 6 });
  const denied = await agent.call('authorizePayment', { amount: 7 });
  expect(denied.message?.result).toMatchObject({ isError: true, structuredContent: { authorized: false } });
  expect(saidBy(await agent.call('checkPermission', { scope: 'read' }))).toMatchObject({ allowed: true });
  expect(saidBy(await agent.call('logAction', { action: 'worked', tool: 'x' }))).toMatchObject({ logged: true });

  const asked = saidBy(await agent.call('requestApproval', { action: 'ship', reason: 'it is time' }));
  expect(asked).toMatchObject({ status: 'pending' });
  const other = scenario.agent('stateless', await scenario.tenant.session({ scopes: ['read'] }));
  expect(saidBy(await other.call('checkApproval', { request_id: asked['request_id'] }))).toMatchObject({
    code: 'not_found',
  });
  await scenario.tenant.post(`/v1/approvals/${String(asked['request_id'])}/deny`, { note: 'not yet' });
  expect(saidBy(await agent.call('checkApproval', { request_id: asked['request_id'] }))).toMatchObject({
    ...{ status: 'denied', decision_note: 'not yet' },
  });
});

it('lets no agent act in another session than its own', async () => {
  const rich = await scenario.tenant.session({ scopes: ['read'], spend_limit: 100 });
  const poor = scenario.agent('stateless', await scenario.tenant.session({ scopes: ['read'], spend_limit: 1 }));
  expect(saidBy(await poor.call('authorizePayment', { amount: 5, session_id: rich }))).toMatchObject({
    authorized: false,
  });
  expect((await scenario.tenant.get(`/v1/sessions/${rich}`)).body['spent']).toBe(0);
});

it('asks of the key what the REST operation asks', async () => {
  const { body } = await scenario.tenant.post<{ key: string }>('/v1/keys', { scopes: ['sessions:read'] });
  const reader = scenario.operator(body.key);
  expect((await toolsOf(reader)).map(({ name }) => name)).toEqual(['getSession', 'checkPermission']);
  const refused = await reader.call('createSession', { agent_id: 'a' });
  expect(refused.message?.result?.isError).toBe(true);
  expect(saidBy(refused)).toMatchObject({ code: 'insufficient_scope', required: 'sessions:write' });
});

it('names the argument that is wrong, and what it expects', async () => {
  const operator = scenario.operator();
  const wrong: [name: string, args: Record<string, unknown>, error: RegExp][] = [
    ['createSession', {}, /^agent_id: /],
    ['createSession', { agent_id: 'a', ttl: 0 }, /^ttl: /],
    ['getSession', { session_id: 7 }, /^session_id: /],
    ['storeSecret', { name: '..', value: 'x' }, /^name: /],
    ['authorizePayment', { session_id: 's', amount: -1 }, /^amount: /],
    ['getAuditTrail', { limit: 0 }, /^limit: /],
    ['getAuditTrail', { flagged: 'yes' }, /^flagged: /],
    ['getAuditTrail', { cursor: 'AAAA' }, /^cursor: /],
  ];
  for (const [name, args, error] of wrong) {
    const reply = await operator.call(name, args);
    expect([name, reply.status, reply.message?.result?.isError]).toEqual([name, 200, true]);
    expect(saidBy(reply)['error']).toMatch(error);
  }
});

it('opens one session per Idempotency-Key, however many processes are asked', async () => {
  const headers = { 'idempotency-key': 'open-1' };
  const replies = await Promise.all(
    Array.from({ length: 6 }, () => scenario.operator().call('createSession', { agent_id: 'once' }, headers)),
  );
  expect(new Set(replies.map((reply) => saidBy(reply)['session_id'])).size).toBe(1);
  const { body } = await scenario.tenant.get<{ count: number }>('/v1/sessions?agent_id=once');
  expect(body.count).toBe(1);
});

it('says the first answer again under its Idempotency-Key when the session has ended since, and nothing new', async () => {
  const session = await scenario.tenant.session({ scopes: ['read'] });
  const agent = scenario.agent('stateless', session);
  const calls = [
    ['logAction', { action: 'last words' }],
    ['requestApproval', { action: 'one more' }],
    ['authorizePayment', { amount: 0.5 }],
  ] as const;
  const call = (key: string): Promise<McpReply[]> =>
    Promise.all(calls.map(([tool, args]) => agent.call(tool, args, { 'idempotency-key': key })));
  const first = await call('late');
  await scenario.tenant.delete(`/v1/sessions/${session}`);
  expect((await call('late')).map(saidBy)).toEqual(first.map(saidBy));
  for (const { status, message } of await call('later'))
    expect([status, message?.error?.data]).toEqual([403, expect.objectContaining({ code: 'invalid_session' })]);
});
