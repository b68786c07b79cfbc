import { type KeyScope } from '@haldir/http';

type RoleScope = KeyScope | '*' | '*:read' | `${string}:*`;

/**
 * What people may do: each role is a name for scopes, which mean what they mean for keys. This is the only place that says so;
 * docs/people.md has the same as a table.
 */
const SCOPES_OF_ROLES = {
  /** Everything, people and keys included. */
  owner: ['*'],
  /** Upstreams, policies, prices, secrets, sessions, webhooks and rules. Who may write rules of approvals may decide, too. */
  operator: [
    '*:read',
    ...(['sessions:write', 'vault:write', 'payments:write', 'audit:write'] as const),
    ...(['approvals:write', 'webhooks:write', 'proxy:write'] as const),
  ],
  /** What waits for a human, and reading. */
  approver: ['*:read', 'approvals:*'],
  /** Reading; the values of secrets are read by no person. */
  auditor: ['*:read'],
} as const satisfies Readonly<Record<string, readonly RoleScope[]>>;

export type Role = keyof typeof SCOPES_OF_ROLES;
export const ROLES = Object.keys(SCOPES_OF_ROLES) as [Role, ...Role[]];

export function scopesOf(role: Role): readonly string[] {
  return SCOPES_OF_ROLES[role];
}
