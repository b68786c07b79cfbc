/** What roles are for, and which scopes they are names for. `libs/people/src/roles.ts` defines them; a test holds this against it. */
export const ROLES = {
  owner: { scopes: ['*'], words: 'Everything, people and keys included' },
  operator: {
    scopes: [
      '*:read',
      ...['sessions:write', 'vault:write', 'payments:write', 'audit:write'],
      ...['approvals:write', 'webhooks:write', 'proxy:write'],
    ],
    words: 'Upstreams, policies, prices, secrets, sessions, webhooks and rules; decides on requests, too',
  },
  approver: { scopes: ['*:read', 'approvals:*'], words: 'Decides on what waits for a human, and reads' },
  auditor: { scopes: ['*:read'], words: 'Reads, but no value of a secret' },
};

export type Role = keyof typeof ROLES;

/** For a choice, by the name of the role. */
export const ROLE_CHOICES = Object.fromEntries(
  Object.entries(ROLES).map(([role, { words }]) => [role, `${role}: ${words}`]),
) as Record<Role, string>;
