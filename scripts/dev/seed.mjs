// @ts-check
// Something to look at: a tenant with an upstream, a policy and a rule, made once; and of each start a session with calls, a
// payment, and a call that waits for a human. All of it goes through the REST API.
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../embedded/home.mjs';
import { ApiClient } from '../lib/api-client.mjs';

const UPSTREAM = 'everything';
const AGENT = 'dev-agent';

/** @typedef {{ key: string, agentKey: string, port: number }} Kept of the tenant, in HALDIR_HOME/dev.json */

/**
 * @param {import('../embedded/home.mjs').Home} home
 * @returns {Kept | null} what an earlier start made
 */
export function readKept(home) {
  try {
    return JSON.parse(fs.readFileSync(path.join(home.dir, 'dev.json'), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {object} options
 * @param {import('../embedded/home.mjs').Home} options.home
 * @param {string} options.url of the API
 * @param {string | null} options.bootstrapToken
 * @param {{ url: string, port: number }} options.upstream an MCP server
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ key: string, agentKey: string, sessionId: string, requestId: string }>}
 * @throws OperatorError when a request is not answered as it should be
 */
export async function seed({ home, url, bootstrapToken, upstream, signal }) {
  const api = new ApiClient(url, signal);
  /** @type {(method: string, path: string, body: object, as: string | null, statuses?: number[]) => Promise<any>} */
  const ask = async (method, to, body, as, statuses = [200, 201]) => {
    const answer = await api.ask(method, to, { body, key: as });
    if (statuses.includes(answer.status)) return answer.body;
    throw new OperatorError(`${method} ${to} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  };

  let kept = readKept(home);
  if (kept !== null && (await api.ask('GET', '/v1/keys', { key: kept.key })).status !== 200) kept = null;
  if (kept === null) {
    const token = bootstrapToken === null ? {} : { bootstrap_token: bootstrapToken };
    const { key } = await ask('POST', '/v1/keys', { name: 'dev', tier: 'enterprise', ...token }, null);
    const { key: agentKey } = await ask(
      'POST',
      '/v1/keys',
      {
        name: AGENT,
        tier: 'enterprise',
        agent: { agent_id: AGENT, scopes: ['read', 'execute'], ttl: 86_400, spend_limit: 100_000 },
      },
      key,
    );
    await ask(
      'POST',
      '/v1/secrets',
      { name: 'dev-secret', value: 'not-much-of-a-secret', scope_required: 'read' },
      key,
    );
    await ask('POST', '/v1/proxy/upstreams', { name: UPSTREAM, url: upstream.url }, key);
    await ask('POST', '/v1/proxy/policies', { type: 'block_tool', tool: `${UPSTREAM}.get-env` }, key);
    await ask('POST', '/v1/approvals/rules', { type: 'tool_blocked', tools: [`${UPSTREAM}.get-sum`] }, key);
    kept = { key, agentKey, port: upstream.port };
  } else if (kept.port !== upstream.port) {
    await ask('POST', '/v1/proxy/upstreams', { name: UPSTREAM, url: upstream.url }, kept.key);
    kept = { ...kept, port: upstream.port };
  }
  fs.writeFileSync(path.join(home.dir, 'dev.json'), JSON.stringify(kept), { mode: 0o600 });

  const { key, agentKey } = kept;
  const session = { agent_id: AGENT, scopes: ['read', 'execute'], ttl: 86_400, spend_limit: 10 };
  const { session_id: sessionId } = await ask('POST', '/v1/sessions', session, agentKey);
  const call = (/** @type {string} */ tool, /** @type {object} */ args) =>
    ask('POST', '/v1/proxy/call', { session_id: sessionId, tool: `${UPSTREAM}.${tool}`, arguments: args }, agentKey, [
      ...[200, 403],
    ]);
  await call('echo', { message: 'hello' });
  await call('get-env', {});
  const payment = { session_id: sessionId, amount: 7.5, currency: 'USD', description: 'a book' };
  // The ceiling of the agent's key is for all of its sessions: one day it is reached, which is something to look at, too.
  await ask('POST', '/v1/payments/authorize', payment, agentKey, [200, 403]);
  const held = await call('get-sum', { a: 19, b: 23 });
  const { request_id: requestId } = JSON.parse(held.content[0].text);
  return { key, agentKey, sessionId, requestId };
}
