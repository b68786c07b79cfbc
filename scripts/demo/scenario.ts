import crypto from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { ScenarioFailed } from './scenario-runner.js';
import { type ScenarioRunner } from './scenario-runner.js';
import { type Receiver } from './receiver.js';

export type Defer = (undo: () => Promise<unknown>) => void;

/**
 * One agent's day, from its key to the proof of what it did.
 *
 * @throws ScenarioFailed when a step is not answered as it should be
 */
export async function runScenario({
  runner,
  mcpUrl,
  receiver,
  defer,
}: {
  runner: ScenarioRunner;
  mcpUrl: string;
  receiver: Receiver;
  defer: Defer;
}) {
  // Of this run alone, so that it neither replaces nor meets anything of yours.
  const run = crypto.randomBytes(3).toString('hex');
  const agent = await giveKey(runner, run, defer);
  const sessionId = await openSession(runner, run, agent, defer);
  await keepSecret(runner, run, { agent, sessionId }, defer);
  const webhookSecret = await registerWebhook(runner, receiver, defer);
  await spend(runner, { agent, sessionId });
  await callTools(runner, `demo-${run}`, mcpUrl, { agent, sessionId }, defer);
  await verifyDelivery(runner, receiver, webhookSecret, 'budget_exhausted');
  await verifyDelivery(runner, receiver, webhookSecret, 'approval_requested');
  await proveIt(runner, sessionId);
}

/** The key of an agent, and its session */
export type Run = { agent: string; sessionId: string };

/** @returns the agent's key */
async function giveKey(runner: ScenarioRunner, run: string, defer: Defer): Promise<string> {
  const { key, prefix } = await runner.request({
    title: 'A key for an agent: it acts as that agent, within a ceiling, and does nothing else',
    method: 'POST',
    path: '/v1/keys',
    body: {
      name: `demo-${run}`,
      tier: 'free',
      agent: { agent_id: `demo-agent-${run}`, scopes: ['read', 'execute'], ttl: 900, spend_limit: 10 },
    },
    status: 201,
    expect: ({ key: made, agent }) => made.startsWith('hld_') && agent.agent_id === `demo-agent-${run}`,
  });
  defer(() => runner.ask('DELETE', `/v1/keys/${prefix}`));
  await runner.request({
    title: 'With it the agent cannot make itself another',
    method: 'POST',
    path: '/v1/keys',
    body: { name: 'more' },
    as: key,
    status: 403,
    expect: ({ code }) => code === 'agent_key_not_allowed',
  });
  return key;
}

/** @param agent its key */
async function openSession(runner: ScenarioRunner, run: string, agent: string, defer: Defer): Promise<string> {
  const { session_id: sessionId } = await runner.request({
    title: 'It opens a session: what this run may do, for how long, and with how much money',
    as: agent,
    method: 'POST',
    path: '/v1/sessions',
    body: { agent_id: `demo-agent-${run}`, scopes: ['read', 'execute'], ttl: 900, spend_limit: 10 },
    status: 201,
    expect: (session) => session.session_id.startsWith('ses_') && session.spend_limit === 10,
  });
  defer(() => runner.ask('DELETE', `/v1/sessions/${sessionId}`));
  for (const [scope, allowed] of [
    ['read', true],
    ['delete', false],
  ] as const) {
    await runner.request({
      title: `May it ${scope}?`,
      method: 'POST',
      path: `/v1/sessions/${sessionId}/check`,
      body: { scope },
      as: agent,
      status: 200,
      expect: (answer) => answer.allowed === allowed,
      meaning: allowed ? 'Yes: it holds the scope' : 'No: nobody gave it that',
    });
  }
  return sessionId;
}

async function keepSecret(runner: ScenarioRunner, run: string, { agent, sessionId }: Run, defer: Defer) {
  const name = `demo-stripe-${run}`;
  const value = `sk_test_${crypto.randomBytes(12).toString('hex')}`;
  runner.hide(value);
  await runner.request({
    title: 'A secret goes into the vault, for sessions that may read',
    method: 'POST',
    path: '/v1/secrets',
    body: { name, value, scope_required: 'read' },
    status: 201,
    expect: ({ stored }) => stored === true,
  });
  defer(() => runner.ask('DELETE', `/v1/secrets/${name}`));
  await runner.request({
    title: 'The agent reads it',
    method: 'GET',
    path: `/v1/secrets/${name}`,
    headers: { 'x-session-id': sessionId },
    as: agent,
    status: 200,
    expect: (secret) => secret.value === value,
    meaning: 'The very value, and the read is in the audit log before it leaves',
  });
}

/** @returns what signs its deliveries */
async function registerWebhook(runner: ScenarioRunner, receiver: Receiver, defer: Defer): Promise<string> {
  const { webhook_id: id, secret } = await runner.request({
    title: 'A webhook: tell me when a budget is empty and when someone has to decide',
    method: 'POST',
    path: '/v1/webhooks',
    body: { url: receiver.url, name: 'demo', events: ['budget_exhausted', 'approval_requested'] },
    status: 201,
    expect: (webhook) => webhook.secret.startsWith('whsec_'),
  });
  defer(() => runner.ask('DELETE', `/v1/webhooks/${id}`));
  return secret;
}

async function spend(runner: ScenarioRunner, { agent, sessionId }: Run) {
  await runner.request({
    title: 'It pays 7.50 of its 10 USD',
    method: 'POST',
    path: '/v1/payments/authorize',
    body: { session_id: sessionId, amount: 7.5, currency: 'USD', description: 'a book' },
    as: agent,
    status: 200,
    expect: ({ authorized, remaining_budget: remaining }) => authorized === true && remaining === 2.5,
    meaning: '2.50 are left',
  });
  await runner.request({
    title: 'It tries to pay 5 more',
    method: 'POST',
    path: '/v1/payments/authorize',
    body: { session_id: sessionId, amount: 5, currency: 'USD', description: 'another book' },
    as: agent,
    status: 403,
    expect: ({ authorized, remaining_budget: remaining }) => authorized === false && remaining === 2.5,
    meaning: 'Refused, and nothing was taken',
  });
}

async function callTools(
  runner: ScenarioRunner,
  upstream: string,
  mcpUrl: string,
  { agent, sessionId }: Run,
  defer: Defer,
) {
  await runner.request({
    title: 'A real MCP server (@modelcontextprotocol/server-everything) becomes an upstream',
    method: 'POST',
    path: '/v1/proxy/upstreams',
    body: { name: upstream, url: mcpUrl },
    status: 201,
    expect: ({ healthy, tool_names: tools }) =>
      healthy === true && ['echo', 'get-env', 'get-sum'].every((tool) => tools.includes(tool)),
  });
  defer(() => runner.ask('DELETE', `/v1/proxy/upstreams/${upstream}`));

  const call = (tool: string, args: object) => ({
    method: 'POST',
    path: '/v1/proxy/call',
    body: { session_id: sessionId, tool: `${upstream}.${tool}`, arguments: args },
    as: agent,
  });
  await runner.request({
    title: 'The agent calls a tool through Haldir',
    ...call('echo', { message: 'hello' }),
    status: 200,
    expect: (result) => textOf(result) === 'Echo: hello',
  });

  const blocked = await runner.request({
    title: 'A policy: nobody calls get-env',
    method: 'POST',
    path: '/v1/proxy/policies',
    body: { type: 'block_tool', tool: `${upstream}.get-env` },
    status: 201,
    expect: ({ added }) => added === true,
  });
  defer(() => runner.ask('DELETE', `/v1/proxy/policies/${blocked.id}`));
  await runner.request({
    title: 'The agent tries',
    ...call('get-env', {}),
    status: 403,
    expect: (result) => result.isError === true && JSON.parse(textOf(result)).policy_id === blocked.id,
    meaning: 'Blocked: the call never left Haldir',
  });
  await runner.request({
    title: 'It tries to take the policy away',
    method: 'DELETE',
    path: `/v1/proxy/policies/${blocked.id}`,
    as: agent,
    status: 403,
    expect: ({ code }) => code === 'agent_key_not_allowed',
    meaning: 'Refused: nothing that holds an agent is loosened by its key',
  });

  const rule = await runner.request({
    title: 'A rule: a human decides about get-sum',
    method: 'POST',
    path: '/v1/approvals/rules',
    body: { type: 'tool_blocked', tools: [`${upstream}.get-sum`] },
    status: 201,
    expect: ({ added }) => added === true,
  });
  defer(() => runner.ask('DELETE', `/v1/approvals/rules/${rule.id}`));
  const sum = call('get-sum', { a: 19, b: 23 });
  const isHeld = (result: any) => JSON.parse(textOf(result)).status === 'approval_required';
  const held = await runner.request({
    title: 'The agent calls it, and has to wait',
    ...sum,
    status: 200,
    expect: isHeld,
  });
  const { request_id: requestId } = JSON.parse(textOf(held));
  await runner.request({
    title: 'Someone sees what waits',
    method: 'GET',
    path: '/v1/approvals/pending',
    status: 200,
    expect: ({ requests }) => requests.some((request: any) => request.request_id === requestId),
  });
  await runner.request({
    title: 'And approves, with the key of an operator',
    method: 'POST',
    path: `/v1/approvals/${requestId}/approve`,
    body: { decided_by: 'you', note: 'for the demo' },
    status: 200,
    expect: ({ approved }) => approved === true,
  });
  await runner.request({
    title: 'The same call again',
    ...sum,
    status: 200,
    expect: (result) => /\b42\b/.test(textOf(result)),
    meaning: 'Let through',
  });
  const again = await runner.request({
    title: 'And once more',
    ...sum,
    status: 200,
    expect: isHeld,
    meaning: 'An approval is for one call: the next one waits again',
  });
  await runner.request({
    title: 'This time the answer is no',
    method: 'POST',
    path: `/v1/approvals/${JSON.parse(textOf(again)).request_id}/deny`,
    body: { decided_by: 'you' },
    status: 200,
    expect: ({ denied }) => denied === true,
  });
}

const textOf = (result: any) => String(result.content?.[0]?.text ?? '');

async function verifyDelivery(runner: ScenarioRunner, receiver: Receiver, secret: string, event: string) {
  await runner.note(`The webhook has heard of ${event}`, async () => {
    const { headers, body } = await receiver.next(event, runner.signal);
    const receivers = new Webhook(secret);
    const { data } = receivers.verify(body, headers) as { data: object };
    if (accepts(receivers, body.replace('{', '{ '), headers))
      throw new ScenarioFailed('an altered delivery was accepted');
    return [
      `← POST ${receiver.url} ${JSON.stringify(data)}`,
      `  webhook-id ${headers['webhook-id']}, webhook-signature ${headers['webhook-signature']?.slice(0, 10)}…`,
      '✓ The package standardwebhooks accepts its signature, and none for an altered body',
    ];
  });
}

function accepts(receivers: Webhook, body: string, headers: Record<string, string>) {
  try {
    receivers.verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

async function proveIt(runner: ScenarioRunner, sessionId: string) {
  const expected = ['secret_read', 'payment_authorized', 'payment_denied'];
  const { entries } = await runner.request({
    title: 'What the agent did, newest first',
    method: 'GET',
    path: `/v1/audit?session_id=${sessionId}&limit=100`,
    status: 200,
    expect: ({ entries: found }) => expected.every((action) => found.some((entry: any) => entry.action === action)),
  });
  await runner.note('In short', async () =>
    entries.map(({ timestamp, tool, action, entry_hash: hash }: any) => {
      const time = new Date(timestamp * 1000).toISOString().slice(11, 19);
      return `${time}  ${hash.slice(0, 12)}…  ${tool}  ${action}`;
    }),
  );
  await runner.request({
    title: 'Is the log whole, and in order?',
    method: 'GET',
    path: '/v1/audit/verify',
    status: 200,
    expect: ({ verified, entries_checked: checked }) => verified === true && checked >= entries.length,
  });
  await runner.request({
    title: 'The session ends',
    method: 'DELETE',
    path: `/v1/sessions/${sessionId}`,
    status: 200,
    expect: ({ revoked }) => revoked === true,
  });
  await runner.request({
    title: 'May it still read?',
    method: 'POST',
    path: `/v1/sessions/${sessionId}/check`,
    body: { scope: 'read' },
    status: 200,
    expect: ({ allowed }) => allowed === false,
    meaning: 'No: it has ended everywhere, at once',
  });
}
