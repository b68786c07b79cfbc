/**
 * Where what a request brings may be kept, by operation and member: what its sender asked to have kept, and nothing else.
 * It is kept in the first of the columns; the others depend on what else happened.
 */
export const KEPT: Readonly<Record<string, readonly string[]>> = {
  'addProxyPolicy tool': ['proxy_policy.params', 'audit_entry.details'],
  'authorizePayment description': ['audit_entry.details', 'payment.description'],
  'createApiKey name': ['api_key.name'],
  'createSession agent_id': ['session.agent_id', 'audit_entry.agent_id', 'audit_rollup.agent_id', 'audit_rollup.subject', 'audit_rollup.part'],
  'createSession scopes': ['session.scopes', 'audit_entry.details'],
  // Which secret an agent tried to read.
  'getSecret name': ['audit_entry.details'],
  'holdPayment description': ['audit_entry.details', 'payment.description'],
  'invitePerson name': ['person.name'],
  'logAction action': ['audit_entry.action'],
  'logAction details': ['audit_entry.details'],
  'logAction tool': ['audit_entry.tool', 'audit_agent_tool.tool', 'audit_rollup.part', 'webhook_event.body'],
  // A tool that nobody has: that an agent asked for it is recorded. Arguments are kept nowhere.
  'proxyCall tool': ['audit_entry.tool', 'audit_agent_tool.tool', 'audit_rollup.part', 'webhook_event.body'],
  'mcp a tool’s name': ['audit_entry.tool', 'audit_agent_tool.tool', 'audit_rollup.part', 'webhook_event.body'],
  'registerUpstream headers': ['proxy_upstream.shown_headers', 'audit_entry.details'],
  // A tool may be given its price before anyone has it.
  'priceTool path tool': ['proxy_tool_price.tool', 'audit_entry.details'],
  'registerUpstream name': ['proxy_upstream.name', 'upstream_name.name', 'upstream_told_head.upstream', 'upstream_told.upstream', 'upstream_session.upstream', 'proxy_offering.upstream', 'proxy_tool.upstream', 'proxy_tool.model_name', 'proxy_tool.hashed_name', 'audit_entry.details'],
  'registerUpstream url with a token': ['proxy_upstream.url'],
  'changeWebhook name': ['webhook.name'],
  'changeWebhook url with a token': ['webhook.url'],
  'freezeAgent path agent_id': ['agent_freeze.agent_id', 'audit_entry.agent_id', 'webhook_event.body', 'audit_rollup.agent_id', 'audit_rollup.subject', 'audit_rollup.part'],
  'registerWebhook name': ['webhook.name'],
  'registerWebhook url with a token': ['webhook.url'],
  'requestApproval action': ['approval_request.action', 'audit_entry.details', 'webhook_event.body', 'mail.notice'],
  // Whoever decides is told of them, by the event too.
  'requestApproval details': ['approval_request.details', 'webhook_event.body', 'mail.notice'],
  'requestApproval reason': ['approval_request.reason', 'webhook_event.body', 'mail.notice'],
  'requestApproval tool': ['approval_request.tool', 'audit_entry.details', 'webhook_event.body', 'mail.notice'],
  'setBudget agent_id': ['budget.subject', 'audit_entry.agent_id', 'audit_rollup.agent_id', 'audit_rollup.subject', 'audit_rollup.part'],
  'storeSecret name': ['secret.name', 'audit_entry.details'],
  'storeSecret scope_required': ['secret_version.scope_required', 'audit_entry.details'],
}; // prettier-ignore

/** Where a session's id may be: it names the session in rows of its tenant, and in the events of its doings. */
export const SESSION_ID_COLUMNS = [
  'approval_request.session_id',
  // Of what is opened from another, and of what ends with it.
  'audit_entry.details',
  'audit_entry.session_id',
  'audit_rollup.subject',
  'payment.session_id',
  'payment_event.session_id',
  'payment_total.subject',
  'session.id',
  'session.lineage',
  'upstream_session.session_id',
  'webhook_event.body',
];

/** The one kind of answer that each secret is shown in. */
export const SHOWN = [
  'createApiKey 201: api-key',
  'getSecret 200: vault-value',
  'invitePerson 201: sign-in-link',
  'mcp getSecret 200: vault-value',
  'registerWebhook 201: webhook-secret',
  'rotateApiKey 201: api-key',
  'rotateWebhookSecret 200: webhook-secret',
  'signInByLink 200: page-token',
  'signInByLink 200: person-cookie',
  'signInByPasskey 200: page-token',
  'signInByPasskey 200: person-cookie',
];
