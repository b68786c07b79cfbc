/**
 * Request bodies that work when pasted, by operation. Where one needs an id that an earlier call answered, it says so
 * in its value.
 */
const SESSION_ID = 'ses_… (from createSession)';

export const REQUEST_EXAMPLES: Readonly<Record<string, unknown>> = {
  createApiKey: { name: 'ci', tier: 'free', scopes: ['sessions:*', 'audit:read'] },
  rotateApiKey: { overlap_seconds: 3600 },
  invitePerson: { email: 'alice@example.com', role: 'approver', name: 'Alice' },
  changePerson: { role: 'operator' },
  createSession: { agent_id: 'research-agent', scopes: ['read', 'execute', 'spend:50'], ttl: 3600 },
  checkPermission: { scope: 'read' },
  storeSecret: {
    name: 'stripe_key',
    value: 'not-a-real-key',
    scope_required: 'read',
    expires_at: '2099-12-31T00:00:00Z',
  },
  rollBackSecret: { version: 1 },
  authorizePayment: { session_id: SESSION_ID, amount: 9.99, currency: 'USD', description: 'One month of search' },
  holdPayment: { session_id: SESSION_ID, amount: 25, currency: 'USD', description: 'A night of compute', ttl: 3600 },
  capturePayment: { amount: 19.5 },
  setBudget: { scope: 'agent', limit: 100 },
  logAction: {
    session_id: SESSION_ID,
    tool: 'browser',
    action: 'open',
    details: 'https://example.com',
    cost_usd: 0.002,
  },
  createEvidencePackage: { from: '2026-07-01T00:00:00Z', to: '2026-09-30T23:59:59.999Z' },
  addAuditRule: { type: 'rapid_fire', max_actions: 60, window_seconds: 60 },
  addApprovalRule: { type: 'spend_over', threshold: 100 },
  setApprovalSettings: { forbid_self_approval: true, require_signature_from: 1000 },
  requestApproval: {
    session_id: SESSION_ID,
    tool: 'mail',
    action: 'send',
    reason: 'Newsletter to 1,000 people',
    ttl: 3600,
  },
  approveRequest: { decided_by: 'dana', note: 'Checked the list' },
  denyRequest: { decided_by: 'dana', note: 'Wrong list' },
  registerWebhook: {
    url: 'https://example.com/hooks/haldir',
    name: 'on-call',
    events: ['anomaly', 'approval_requested'],
  },
  freezeAgent: { reason: 'Calls that nobody asked for' },
  freezeTenant: { reason: 'Incident 17' },
  changeWebhook: { active: true },
  recoverWebhook: { since: '2026-11-29T00:00:00Z' },
  registerUpstream: { name: 'everything', url: 'http://127.0.0.1:3002/mcp' },
  changeUpstream: { timeout: 120, concurrency: 4 },
  // From `drift` in listProxyTools.
  acceptTool: { fingerprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
  priceTool: { price_usd: 0.5 },
  simulatePolicies: { policies: [{ type: 'spend_limit', max: 50 }], from: '2026-01-01T00:00:00Z' },
  proxyCall: { session_id: SESSION_ID, tool: 'everything.echo', arguments: { message: 'hello' } },
  addProxyPolicy: { type: 'block_tool', tool: 'everything.get-env' },
  changeProxyPolicy: { mode: 'enforce' },
};
