import { type PublishedEvent } from '@haldir/events';
import { grantsKeyScope, type KeyScope } from '@haldir/http';
import { type Role, ROLES, scopesOf } from '@haldir/people';

/** What people may be told of by e-mail, and the scope that reads it. */
const SCOPES_OF_KINDS = {
  /** A call or a payment waits for somebody to decide. */
  approval_requested: 'approvals:read',
  anomaly: 'audit:read',
  /** A tool is held back, because its upstream defines it otherwise than was accepted. */
  tool_drift: 'proxy:read',
  /** An endpoint that said so, or failed for days. */
  webhook_disabled: 'webhooks:read',
  /** One is used up to 50, 80 or 100 percent. */
  budget_threshold: 'sessions:read',
} as const satisfies Readonly<Record<string, KeyScope>>;

export type NotificationKind = keyof typeof SCOPES_OF_KINDS;
export const NOTIFICATION_KINDS = Object.keys(SCOPES_OF_KINDS) as [NotificationKind, ...NotificationKind[]];

/** What those of a role are told of who have not chosen: whoever decides hears of what waits. */
const DEFAULTS: Readonly<Partial<Record<Role, readonly NotificationKind[]>>> = {
  owner: ['approval_requested'],
  approver: ['approval_requested'],
};

export function defaultKindsOf(role: Role): readonly NotificationKind[] {
  return DEFAULTS[role] ?? [];
}

export function mayRead(role: Role, kind: NotificationKind): boolean {
  return grantsKeyScope(scopesOf(role), SCOPES_OF_KINDS[kind]);
}

/** Which roles may be told of which kind, and which are unless they choose. */
export const KINDS_OF_ROLES = ROLES.flatMap((role) =>
  NOTIFICATION_KINDS.filter((kind) => mayRead(role, kind)).map((kind) => ({
    ...{ role, kind, isDefault: defaultKindsOf(role).includes(kind) },
  })),
);

/** Null for an event that nobody is sent by e-mail. */
export function kindOf({ type, data }: Pick<PublishedEvent, 'type' | 'data'>): NotificationKind | null {
  const { reason } = data;
  if (type === 'anomaly')
    return typeof reason === 'string' && reason.startsWith('tool_drift') ? 'tool_drift' : 'anomaly';
  return NOTIFICATION_KINDS.find((kind) => kind === type) ?? null;
}
