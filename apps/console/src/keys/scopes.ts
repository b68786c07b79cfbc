/** What an operator's key can be given; `KEY_SCOPES` of the API is the same list, as a test holds. */
export const KEY_SCOPES = [
  ...['sessions:read', 'sessions:write', 'vault:read', 'vault:write', 'payments:read', 'payments:write'],
  ...['audit:read', 'audit:write', 'approvals:read', 'approvals:write', 'webhooks:read', 'webhooks:write'],
  ...['proxy:read', 'proxy:write', 'admin:read', 'admin:write'],
  ...['proxy:call', 'approvals:request', 'approvals:decide'],
];
