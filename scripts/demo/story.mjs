// @ts-check
import crypto from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { StoryBroken } from './teller.mjs';

/** @typedef {import('./teller.mjs').Teller} Teller */
/** @typedef {(undo: () => Promise<unknown>) => void} Defer */

/**
 * One agent's day, from its key to the proof of what it did.
 *
 * @param {{ teller: Teller, mcpUrl: string, receiver: import('./receiver.mjs').Receiver, defer: Defer }} setting
 * @throws StoryBroken when a step is not answered as it should be
 */
export async function play({ teller, mcpUrl, receiver, defer }) {
  // Of this run alone, so that it neither replaces nor meets anything of yours.
  const run = crypto.randomBytes(3).toString('hex');
  const agent = await giveKey(teller, run, defer);
  const sessionId = await openSession(teller, run, agent, defer);
  await keepSecret(teller, run, { agent, sessionId }, defer);
  const webhookSecret = await registerWebhook(teller, receiver, defer);
  await spend(teller, { agent, sessionId });
  await callTools(teller, `demo-${run}`, mcpUrl, { agent, sessionId }, defer);
  await verifyDelivery(teller, receiver, webhookSecret, 'budget_exhausted');
  await verifyDelivery(teller, receiver, webhookSecret, 'approval_requested');
  await proveIt(teller, sessionId);
}

/** @typedef {{ agent: string, sessionId: string }} Run the key of an agent, and its session */

/**
 * @param {Teller} teller
 * @param {string} run
 * @param {Defer} defer
 * @returns {Promise<string>} the agent's key
 */
async function giveKey(teller, run, defer) {
  const { key, prefix } = await teller.tell({
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
  defer(() => teller.ask('DELETE', `/v1/keys/${prefix}`));
  await teller.tell({
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

/**
 * @param {Teller} teller
 * @param {string} run
 * @param {string} agent its key
 * @param {Defer} defer
 * @returns {Promise<string>}
 */
async function openSession(teller, run, agent, defer) {
  const { session_id: sessionId } = await teller.tell({
    title: 'It opens a session: what this run may do, for how long, and with how much money',
    as: agent,
    method: 'POST',
    path: '/v1/sessions',
    body: { agent_id: `demo-agent-${run}`, scopes: ['read', 'execute'], ttl: 900, spend_limit: 10 },
    status: 201,
    expect: (session) => session.session_id.startsWith('ses_') && session.spend_limit === 10,
  });
  defer(() => teller.ask('DELETE', `/v1/sessions/${sessionId}`));
  for (const [scope, allowed] of /** @type {const} */ ([
    ['read', true],
    ['delete', false],
  ])) {
    await teller.tell({
      title: `May it ${scope}?`,
      method: 'POST',
      path: `/v1/sessions/${sessionId}/check`,
      body: { scope },
      as: agent,
      status: 200,
      expect: (answer) => answer.allowed === allowed,
      moral: allowed ? 'Yes: it holds the scope' : 'No: nobody gave it that',
    });
  }
  return sessionId;
}

/**
 * @param {Teller} teller
 * @param {string} run
 * @param {Run} of
 * @param {Defer} defer
 */
async function keepSecret(teller, run, { agent, sessionId }, defer) {
  const name = `demo-stripe-${run}`;
  const value = `sk_test_${crypto.randomBytes(12).toString('hex')}`;
  teller.hide(value);
  await teller.tell({
    title: 'A secret goes into the vault, for sessions that may read',
    method: 'POST',
    path: '/v1/secrets',
    body: { name, value, scope_required: 'read' },
    status: 201,
    expect: ({ stored }) => stored === true,
  });
  defer(() => teller.ask('DELETE', `/v1/secrets/${name}`));
  await teller.tell({
    title: 'The agent reads it',
    method: 'GET',
    path: `/v1/secrets/${name}`,
    headers: { 'x-session-id': sessionId },
    as: agent,
    status: 200,
    expect: (secret) => secret.value === value,
    moral: 'The very value, and the read is in the audit log before it leaves',
  });
}

/**
 * @param {Teller} teller
 * @param {import('./receiver.mjs').Receiver} receiver
 * @param {Defer} defer
 * @returns {Promise<string>} what signs its deliveries
 */
async function registerWebhook(teller, receiver, defer) {
  const { webhook_id: id, secret } = await teller.tell({
    title: 'A webhook: tell me when a budget is empty and when someone has to decide',
    method: 'POST',
    path: '/v1/webhooks',
    body: { url: receiver.url, name: 'demo', events: ['budget_exhausted', 'approval_requested'] },
    status: 201,
    expect: (webhook) => webhook.secret.startsWith('whsec_'),
  });
  defer(() => teller.ask('DELETE', `/v1/webhooks/${id}`));
  return secret;
}

/**
 * @param {Teller} teller
 * @param {Run} of
 */
async function spend(teller, { agent, sessionId }) {
  await teller.tell({
    title: 'It pays 7.50 of its 10 USD',
    method: 'POST',
    path: '/v1/payments/authorize',
    body: { session_id: sessionId, amount: 7.5, currency: 'USD', description: 'a book' },
    as: agent,
    status: 200,
    expect: ({ authorized, remaining_budget: remaining }) => authorized === true && remaining === 2.5,
    moral: '2.50 are left',
  });
  await teller.tell({
    title: 'It tries to pay 5 more',
    method: 'POST',
    path: '/v1/payments/authorize',
    body: { session_id: sessionId, amount: 5, currency: 'USD', description: 'another book' },
    as: agent,
    status: 403,
    expect: ({ authorized, remaining_budget: remaining }) => authorized === false && remaining === 2.5,
    moral: 'Refused, and nothing was taken',
  });
}

/**
 * @param {Teller} teller
 * @param {string} upstream
 * @param {string} mcpUrl
 * @param {Run} of
 * @param {Defer} defer
 */
async function callTools(teller, upstream, mcpUrl, { agent, sessionId }, defer) {
  await teller.tell({
    title: 'A real MCP server (@modelcontextprotocol/server-everything) becomes an upstream',
    method: 'POST',
    path: '/v1/proxy/upstreams',
    body: { name: upstream, url: mcpUrl },
    status: 201,
    expect: ({ healthy, tool_names: tools }) =>
      healthy === true && ['echo', 'get-env', 'get-sum'].every((tool) => tools.includes(tool)),
  });
  defer(() => teller.ask('DELETE', `/v1/proxy/upstreams/${upstream}`));

  /** @param {string} tool @param {object} args */
  const call = (tool, args) => ({
    method: 'POST',
    path: '/v1/proxy/call',
    body: { session_id: sessionId, tool: `${upstream}.${tool}`, arguments: args },
    as: agent,
  });
  await teller.tell({
    title: 'The agent calls a tool through Haldir',
    ...call('echo', { message: 'hello' }),
    status: 200,
    expect: (result) => textOf(result) === 'Echo: hello',
  });

  const blocked = await teller.tell({
    title: 'A policy: nobody calls get-env',
    method: 'POST',
    path: '/v1/proxy/policies',
    body: { type: 'block_tool', tool: `${upstream}.get-env` },
    status: 201,
    expect: ({ added }) => added === true,
  });
  defer(() => teller.ask('DELETE', `/v1/proxy/policies/${blocked.id}`));
  await teller.tell({
    title: 'The agent tries',
    ...call('get-env', {}),
    status: 403,
    expect: (result) => result.isError === true && JSON.parse(textOf(result)).policy_id === blocked.id,
    moral: 'Blocked: the call never left Haldir',
  });
  await teller.tell({
    title: 'It tries to take the policy away',
    method: 'DELETE',
    path: `/v1/proxy/policies/${blocked.id}`,
    as: agent,
    status: 403,
    expect: ({ code }) => code === 'agent_key_not_allowed',
    moral: 'Refused: nothing that holds an agent is loosened by its key',
  });

  const rule = await teller.tell({
    title: 'A rule: a human decides about get-sum',
    method: 'POST',
    path: '/v1/approvals/rules',
    body: { type: 'tool_blocked', tools: [`${upstream}.get-sum`] },
    status: 201,
    expect: ({ added }) => added === true,
  });
  defer(() => teller.ask('DELETE', `/v1/approvals/rules/${rule.id}`));
  const sum = call('get-sum', { a: 19, b: 23 });
  const isHeld = (/** @type {any} */ result) => JSON.parse(textOf(result)).status === 'approval_required';
  const held = await teller.tell({ title: 'The agent calls it, and has to wait', ...sum, status: 200, expect: isHeld });
  const { request_id: requestId } = JSON.parse(textOf(held));
  await teller.tell({
    title: 'Someone sees what waits',
    method: 'GET',
    path: '/v1/approvals/pending',
    status: 200,
    expect: ({ requests }) => requests.some((/** @type {any} */ request) => request.request_id === requestId),
  });
  await teller.tell({
    title: 'And approves, with the key of an operator',
    method: 'POST',
    path: `/v1/approvals/${requestId}/approve`,
    body: { decided_by: 'you', note: 'for the demo' },
    status: 200,
    expect: ({ approved }) => approved === true,
  });
  await teller.tell({
    title: 'The same call again',
    ...sum,
    status: 200,
    expect: (result) => /\b42\b/.test(textOf(result)),
    moral: 'Let through',
  });
  const again = await teller.tell({
    title: 'And once more',
    ...sum,
    status: 200,
    expect: isHeld,
    moral: 'An approval is for one call: the next one waits again',
  });
  await teller.tell({
    title: 'This time the answer is no',
    method: 'POST',
    path: `/v1/approvals/${JSON.parse(textOf(again)).request_id}/deny`,
    body: { decided_by: 'you' },
    status: 200,
    expect: ({ denied }) => denied === true,
  });
}

/** @param {any} result */
const textOf = (result) => String(result.content?.[0]?.text ?? '');

/**
 * @param {Teller} teller
 * @param {import('./receiver.mjs').Receiver} receiver
 * @param {string} secret
 * @param {string} event
 */
async function verifyDelivery(teller, receiver, secret, event) {
  await teller.act(`The webhook has heard of ${event}`, async () => {
    const { headers, body } = await receiver.next(event, teller.signal);
    const receivers = new Webhook(secret);
    const { data } = /** @type {{ data: object }} */ (receivers.verify(body, headers));
    if (accepts(receivers, body.replace('{', '{ '), headers)) throw new StoryBroken('an altered delivery was accepted');
    return [
      `← POST ${receiver.url} ${JSON.stringify(data)}`,
      `  webhook-id ${headers['webhook-id']}, webhook-signature ${headers['webhook-signature']?.slice(0, 10)}…`,
      '✓ The package standardwebhooks accepts its signature, and none for an altered body',
    ];
  });
}

/**
 * @param {Webhook} receivers
 * @param {string} body
 * @param {Record<string, string>} headers
 */
function accepts(receivers, body, headers) {
  try {
    receivers.verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {Teller} teller
 * @param {string} sessionId
 */
async function proveIt(teller, sessionId) {
  const expected = ['secret_read', 'payment_authorized', 'payment_denied'];
  const { entries } = await teller.tell({
    title: 'What the agent did, newest first',
    method: 'GET',
    path: `/v1/audit?session_id=${sessionId}&limit=100`,
    status: 200,
    expect: ({ entries: found }) =>
      expected.every((action) => found.some((/** @type {any} */ entry) => entry.action === action)),
  });
  await teller.act('In short', async () =>
    entries.map((/** @type {any} */ { timestamp, tool, action, entry_hash: hash }) => {
      const time = new Date(timestamp * 1000).toISOString().slice(11, 19);
      return `${time}  ${hash.slice(0, 12)}…  ${tool}  ${action}`;
    }),
  );
  await teller.tell({
    title: 'Is the log whole, and in order?',
    method: 'GET',
    path: '/v1/audit/verify',
    status: 200,
    expect: ({ verified, entries_checked: checked }) => verified === true && checked >= entries.length,
  });
  await teller.tell({
    title: 'The session ends',
    method: 'DELETE',
    path: `/v1/sessions/${sessionId}`,
    status: 200,
    expect: ({ revoked }) => revoked === true,
  });
  await teller.tell({
    title: 'May it still read?',
    method: 'POST',
    path: `/v1/sessions/${sessionId}/check`,
    body: { scope: 'read' },
    status: 200,
    expect: ({ allowed }) => allowed === false,
    moral: 'No: it has ended everywhere, at once',
  });
}
