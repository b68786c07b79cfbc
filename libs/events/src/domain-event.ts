/** Something that happened, for whoever listens. `data` is what a webhook receiver is sent: no secrets. */
export interface DomainEvent {
  type: EventType;
  data: Readonly<Record<string, unknown>>;
}

export const EVENT_TYPES = [
  'agent_frozen',
  'agent_unfrozen',
  'anomaly',
  'approval_outcome',
  'approval_requested',
  'budget_exhausted',
  'budget_threshold',
  'key_expiring',
  'webhook_disabled',
] as const;
export type EventType = (typeof EVENT_TYPES)[number] | 'webhook_test';

/** An event as it left the outbox. */
export interface PublishedEvent extends DomainEvent {
  tenantId: string;
  eventId: string;
  /** When it happened. */
  at: Date;
}
