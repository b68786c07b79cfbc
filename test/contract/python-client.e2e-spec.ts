import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Client, type Receiver, startReceiver, startWorld, type World } from '@haldir/test-support';

interface Answered {
  name: string;
  status: number;
  body: unknown;
}

const CLIENT = join(import.meta.dirname, 'clients', 'client.py');

let world: World;
let tenant: Client;
let receiver: Receiver;
let answers: Map<string, Answered>;
beforeAll(async () => {
  world = await startWorld({ environment: { TZ: 'America/New_York' } });
  tenant = await world.newTenant();
  receiver = await startReceiver();
  answers = new Map((await run(tenant.url, tenant.key ?? '', receiver.url('hook'))).map((one) => [one.name, one]));
}, 120_000);
afterAll(async () => {
  await receiver.stop();
  await world.stop();
});

/** Every call of the client, as Python saw its answer. */
async function run(...args: string[]): Promise<Answered[]> {
  const python = spawn('python3', [CLIENT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  python.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  python.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const code = await new Promise((resolve, reject) => python.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`python3 ended with ${String(code)}:\n${out}\n${said}`);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answered);
}

const number: unknown = expect.any(Number);
const string: unknown = expect.any(String);

it('the calls of the Python client work, in its order', () => {
  const expected: [name: string, status: number, body: unknown][] = [
    [
      'create_session',
      201,
      { agent_id: 'py-sdk-test', scopes: ['read', 'write', 'spend'], spend_limit: 50, ttl: 3600 },
    ],
    ['get_session', 200, { is_valid: true, remaining_budget: 50, spent: 0 }],
    ['check_permission', 200, { allowed: true, scope: 'read' }],
    ['check_permission_denied', 200, { allowed: false, scope: 'delete' }],
    ['store_secret', 201, { stored: true, name: 'py_key' }],
    ['get_secret', 200, { name: 'py_key', value: 's3cr\u00e9t' }],
    ['list_secrets', 200, { secrets: ['py_key'], count: 1 }],
    ['delete_secret', 200, { deleted: true, name: 'py_key' }],
    ['get_secret_missing', 404, { error: string }],
    ['authorize_payment', 200, { authorized: true, amount: 3.3, currency: 'USD', remaining_budget: 46.7 }],
    ['authorize_payment_denied', 403, { authorized: false, remaining_budget: 46.7, reason: string }],
    ['log_action', 201, { logged: true, flagged: false, flag_reason: null }],
    [
      'get_audit_trail',
      200,
      { count: 1, entries: [{ action: 'charge', cost_usd: 0.3, details: '{"amount":29.99,"customer":null}' }] },
    ],
    ['get_audit_flagged', 200, { count: 0, entries: [] }],
    ['get_spend', 200, { total_usd: 0.3, action_count: number, by_tool: { stripe: 0.3 } }],
    ['verify_audit', 200, { verified: true, entries_checked: number, message: string }],
    ['tree_head', 200, { tree_size: number, root_hash: string, signature: string }],
    ['inclusion_proof', 200, { algorithm: 'RFC6962-SHA256', audit_path: expect.any(Array), leaf_hash: string }],
    ['consistency_proof', 200, { first_size: 1, second_size: 2, consistency_path: expect.any(Array) }],
    ['export_csv', 200, expect.stringContaining('entry_id,timestamp,timestamp_iso,tenant_id')],
    ['add_approval_rule', 201, { added: true, type: 'spend_over' }],
    ['add_tool_rule', 201, { added: true, type: 'tool_blocked' }],
    ['list_approval_rules', 200, { count: 2, rules: [{ type: 'spend_over', threshold: 25 }, { tools: ['wire'] }] }],
    ['request_approval', 201, { status: 'pending', request_id: string }],
    ['list_pending_approvals', 200, { count: 2, requests: [{ tool: 'mail', action: 'send', amount: 0 }, {}] }],
    ['approve_request', 200, { approved: true }],
    ['deny_request', 200, { denied: true }],
    ['get_approved', 200, { status: 'approved', decided_by: 'ops', decision_note: 'fine' }],
    ['get_denied', 200, { status: 'denied', decision_note: 'not today' }],
    ['approve_again', 400, { error: string }],
    ['register_webhook', 201, { webhook_id: number, events: ['anomaly'], secret: expect.stringMatching(/^whsec_/) }],
    ['list_webhooks', 200, { count: 1, webhooks: [{ name: 'py', events: ['anomaly'] }] }],
    ['test_webhook', 202, {}],
    ['list_deliveries', 200, { deliveries: expect.any(Array) }],
    ['rotate_secret', 200, { secret: expect.stringMatching(/^whsec_/), secret_prev: string, grace_seconds: 3600 }],
    ['delete_webhook', 200, { deleted: true }],
    ['usage', 200, { action_count: number }],
    ['metrics', 200, {}],
    ['status', 200, { status: 'ok', components: expect.any(Array) }],
    ['overview', 200, { sessions: { active_count: 1 }, audit: { chain_verified: true } }],
    ['jwks', 200, { keys: [{ kty: 'OKP', crv: 'Ed25519' }] }],
    ['evidence', 200, { audit_trail: { chain_verified: true }, signatures: { digest: string } }],
    ['bad_request', 400, { error: string, code: 'invalid', field: 'agent_id' }],
    ['not_found', 404, { error: string, code: 'not_found' }],
    ['revoke_session', 200, { revoked: true }],
    ['log_after_revoke', 401, { error: string }],
    ['unauthorized', 401, { error: string, code: 'unauthorized' }],
  ];
  for (const [name, status, body] of expected) {
    const { name: _, ...answered } = answers.get(name) ?? { name };
    expect([name, answered]).toMatchObject([name, { status, body }]);
  }
  expect([...answers.keys()]).toEqual(expected.map(([name]) => name));
});
