import { InvalidInput, toUnixSeconds } from '@haldir/kernel';
import { EVENT_TYPES } from '@haldir/events';
import { bodyTime, longPageQuery, nextCursor } from '@haldir/http';
import { z } from 'zod';
import { type Webhook } from '../webhook.entity.js';
import { WEBHOOK_FORMATS } from '../webhook-format.js';
import {
  type NewWebhook,
  type RegisteredWebhook,
  type RotatedSecret,
  type WebhookChanges,
} from '../webhook.service.js';

const MIN_GRACE_SECONDS = 60;
const MAX_GRACE_SECONDS = 604_800;
const DEFAULT_GRACE_SECONDS = 86_400;

const eventName = z.enum(['all', ...EVENT_TYPES], `expected one of all, ${EVENT_TYPES.join(', ')}`);

const url = z
  .string('expected an absolute http or https URL of at most 2048 characters')
  .max(2048, 'expected an absolute http or https URL of at most 2048 characters')
  .meta({ format: 'uri' });
const name = z
  .string('expected a text of at most 128 characters')
  .max(128, 'expected a text of at most 128 characters');
const events = z
  .array(eventName, 'expected a list of event names, or null')
  .min(1, 'expected at least one event name, or null')
  .max(16, 'expected a list of at most 16 event names');

const format = z
  .enum(WEBHOOK_FORMATS, `expected one of ${WEBHOOK_FORMATS.join(', ')}`)
  .describe(
    'haldir: the event as JSON; slack: a message for an incoming webhook of Slack; teams: a message with an Adaptive Card, for a workflow of Microsoft Teams. All are signed and retried alike',
  );

export const RegisterWebhook = z.object({
  url: url.describe('Webhook endpoint URL'),
  name: name.default('').describe('Human-readable name'),
  events: events.nullish().describe('Events to subscribe to (defaults to all)'),
  format: format.default('haldir'),
});
export type RegisterWebhook = z.infer<typeof RegisterWebhook>;

export function toNewWebhook({ url, name, events, format }: RegisterWebhook): NewWebhook {
  return { url, name, events: eventsIn(events), format };
}

function eventsIn(wanted: string[] | null | undefined): string[] {
  return !wanted || wanted.includes('all') ? ['all'] : [...new Set(wanted)];
}

export const ChangeWebhook = z.object({
  active: z
    .boolean('expected true or false')
    .optional()
    .describe('false: sent nothing, while its events are kept; true: switched on again, also after a 410'),
  url: url.optional().describe('Where it is sent from now on, what waits included'),
  name: name.optional(),
  events: events.nullish().describe('Events to subscribe to from now on; null for all'),
  format: format.optional(),
});
export type ChangeWebhook = z.infer<typeof ChangeWebhook>;

/** @throws InvalidInput for a body that changes nothing */
export function toWebhookChanges({
  active,
  url: newUrl,
  name: newName,
  events: wanted,
  format: newFormat,
}: ChangeWebhook): WebhookChanges {
  const changes = {
    ...(active === undefined ? {} : { active }),
    ...(newUrl === undefined ? {} : { url: newUrl }),
    ...(newName === undefined ? {} : { name: newName }),
    ...(wanted === undefined ? {} : { events: eventsIn(wanted) }),
    ...(newFormat === undefined ? {} : { format: newFormat }),
  };
  if (Object.keys(changes).length === 0)
    throw new InvalidInput('request body: expected at least one of active, url, name, events, format');
  return changes;
}

export const WebhookRegistered = z.object({
  registered: z.literal(true),
  url: z.string(),
  events: z.array(z.string()).nullable(),
  webhook_id: z.int().describe('Names the webhook in other calls and in X-Haldir-Webhook-Id'),
  name: z.string(),
  format: z.enum(WEBHOOK_FORMATS),
  secret: z.string().describe('Signs every delivery (Standard Webhooks); shown only here'),
  created_at: z.number().describe('Unix timestamp'),
});
export type WebhookRegistered = z.infer<typeof WebhookRegistered>;

export function toWebhookRegistered({ webhook, secret }: RegisteredWebhook): WebhookRegistered {
  const { id, url, name, events, format, createdAt } = webhook;
  const made = { url, events, webhook_id: id, name, format, secret };
  return { registered: true, ...made, created_at: toUnixSeconds(createdAt) };
}

export const ListWebhooks = z.object(longPageQuery);
export type ListWebhooks = z.infer<typeof ListWebhooks>;

export const WebhookItem = z
  .object({
    webhook_id: z.int(),
    name: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    format: z.enum(WEBHOOK_FORMATS).describe('What it is sent: the event as JSON, or a message for Slack or Teams'),
    active: z
      .boolean()
      .describe('False once it was disabled: it answered 410, failed for five days, or was switched off'),
    disabled_reason: z.enum(['gone', 'failing', 'requested']).nullable(),
    failing_since: z.number().nullable().describe('Unix timestamp of the first failure since the last success'),
    paused_until: z.number().nullable().describe('Unix timestamp; deliveries wait until then after many failures'),
    secret_prev_expires_at: z.number().nullable().describe('Unix timestamp until which the previous secret signs too'),
    created_at: z.number().describe('Unix timestamp'),
  })
  .meta({ id: 'WebhookListItem' });
export type WebhookItem = z.infer<typeof WebhookItem>;

export const WebhookList = z.object({ webhooks: z.array(WebhookItem), count: z.int(), next_cursor: nextCursor });
export type WebhookList = z.infer<typeof WebhookList>;

const seconds = (time: Date | null): number | null => (time === null ? null : toUnixSeconds(time));

export function toWebhookItem(webhook: Webhook, now: Date): WebhookItem {
  const { secretPrevExpiresAt, breakerUntil } = webhook;
  return {
    webhook_id: webhook.id,
    name: webhook.name,
    url: webhook.url,
    events: webhook.events,
    format: webhook.format,
    active: webhook.disabledAt === null,
    disabled_reason: webhook.disabledReason,
    failing_since: seconds(webhook.failingSince),
    paused_until: seconds(breakerUntil !== null && breakerUntil > now ? breakerUntil : null),
    secret_prev_expires_at: seconds(
      secretPrevExpiresAt !== null && secretPrevExpiresAt > now ? secretPrevExpiresAt : null,
    ),
    created_at: toUnixSeconds(webhook.createdAt),
  };
}

export const WebhookDeleted = z.object({ deleted: z.literal(true), webhook_id: z.int() });
export type WebhookDeleted = z.infer<typeof WebhookDeleted>;

const wholeSeconds = 'expected a whole number of seconds';
export const RotateSecret = z.object({
  grace_seconds: z
    .string(wholeSeconds)
    .regex(/^-?\d{1,15}$/, wholeSeconds)
    .transform((text) => Math.min(MAX_GRACE_SECONDS, Math.max(MIN_GRACE_SECONDS, Number(text))))
    .default(DEFAULT_GRACE_SECONDS)
    .meta({ override: { type: 'integer', default: DEFAULT_GRACE_SECONDS } })
    .describe(`How long the previous secret signs too, clamped to ${MIN_GRACE_SECONDS} to ${MAX_GRACE_SECONDS}`),
});
export type RotateSecret = z.infer<typeof RotateSecret>;

export const SecretRotated = z.object({
  webhook_id: z.int(),
  secret: z.string().describe('Shown only here'),
  secret_prev: z.string(),
  secret_prev_expires_at: z.number().describe('Unix timestamp'),
  grace_seconds: z.int(),
  message: z.string(),
});
export type SecretRotated = z.infer<typeof SecretRotated>;

export function toSecretRotated(webhookId: number, rotated: RotatedSecret, graceSeconds: number): SecretRotated {
  return {
    webhook_id: webhookId,
    secret: rotated.secret,
    secret_prev: rotated.previous,
    secret_prev_expires_at: toUnixSeconds(rotated.previousExpiresAt),
    grace_seconds: graceSeconds,
    message: 'Both secrets sign every delivery until secret_prev_expires_at',
  };
}

export const TestQueued = z.object({
  queued: z.literal(true),
  webhook_id: z.int(),
  event_id: z.string(),
  delivery_id: z.string(),
});
export type TestQueued = z.infer<typeof TestQueued>;

export const RecoverWebhook = z.object({
  since: bodyTime.describe('Recovers events from then on: Unix seconds, or ISO 8601'),
});
export type RecoverWebhook = z.infer<typeof RecoverWebhook>;

export const WebhookRecovering = z.object({
  webhook_id: z.int(),
  recovered: z.int().describe('Deliveries that are due again, oldest event first'),
  more: z.boolean().describe('Whether there may be more: ask again with the same since'),
});
export type WebhookRecovering = z.infer<typeof WebhookRecovering>;
