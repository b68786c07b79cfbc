import { type PublishedEvent } from '@haldir/events';
import { grantsKeyScope, type KeyScope } from '@haldir/http';
import { type Role, ROLES, scopesOf } from '@haldir/people';

/** What people may be told of by e-mail, and the scope that reads it. */
const SCOPES_OF_KINDS = {
  /** A call or a payment waits for somebody to decide. */
  approval_requested: 'approvals:read',
  /** How what a person has approved ended. */
  own_approval_outcome: 'approvals:read',
  /** The same of all that is asked about, whoever has approved it. */
  approval_outcome: 'approvals:read',
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

/** What those of a role are told of who have not chosen: whoever decides hears of what waits, and of what came of their approvals. */
const DEFAULTS: Readonly<Partial<Record<Role, readonly NotificationKind[]>>> = {
  owner: ['approval_requested', 'own_approval_outcome'],
  approver: ['approval_requested', 'own_approval_outcome'],
  operator: ['own_approval_outcome'],
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
    role,
    kind,
    isDefault: defaultKindsOf(role).includes(kind),
  })),
);

/** Whom an event is for: everybody who wants to hear of its kind, or one person alone if they do. */
export interface Audience {
  kind: NotificationKind;
  personId: string | null;
}

/** Empty for an event that nobody is sent. */
export function audiencesOf({ type, data }: Pick<PublishedEvent, 'type' | 'data'>): Audience[] {
  const { reason, decided_key: decider } = data;
  const isDrift = type === 'anomaly' && typeof reason === 'string' && reason.startsWith('tool_drift');
  const kind = isDrift ? 'tool_drift' : NOTIFICATION_KINDS.find((each) => each === type);
  if (kind === undefined) return [];
  const all: Audience = { kind, personId: null };
  // A key is nobody's id.
  if (type !== 'approval_outcome' || typeof decider !== 'string') return [all];
  return [{ kind: 'own_approval_outcome', personId: decider }, all];
}
