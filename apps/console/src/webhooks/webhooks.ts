import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components, type operations } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';
import { type DeliveriesSearch } from './search.ts';

export type Webhook = components['schemas']['WebhookListItem'];
export type Attempt = components['schemas']['WebhookDeliveryAttempt'];
export type NewWebhook = operations['registerWebhook']['requestBody']['content']['application/json'];
type ChangeWebhook = operations['changeWebhook']['requestBody']['content']['application/json'];
type DeliveriesQuery = NonNullable<operations['listWebhookDeliveries']['parameters']['query']>;

/** First of the keys of what is read here. */
export const WEBHOOKS = 'webhooks';
export const DELIVERIES = 'deliveries';
const MOST = 1000;

export const webhooksQuery = listQuery([WEBHOOKS, 'list'], async (query, signal) => {
  const answer = await answered(api.GET('/v1/webhooks', { params: { query }, signal }));
  return { items: answer.webhooks, next: answer.next_cursor };
});

/** One of them; null where there is none of that id. */
export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: [WEBHOOKS, 'one', id],
    queryFn: async ({ signal }) => {
      const { webhooks } = await answered(api.GET('/v1/webhooks', { params: { query: { limit: MOST } }, signal }));
      return webhooks.find(({ webhook_id: each }) => String(each) === id) ?? null;
    },
  });

/** When something was sent from this page, whose attempt is waited for. */
let sentAt = -Infinity;
const WAITED_MS = 20_000;
const AGAIN_MS = 2_000;

/** Newest first. Read anew while what was just sent is waited for; else it does not move under whoever reads it. */
export const deliveriesQuery = ({ outcome, ...filter }: DeliveriesSearch) => ({
  ...listQuery([DELIVERIES, filter, outcome], async (page, signal) => {
    const query = { ...filter, ...(outcome && { status: outcome }), ...page } as DeliveriesQuery;
    const answer = await answered(api.GET('/v1/webhooks/deliveries', { params: { query }, signal }));
    return { items: answer.deliveries, next: answer.next_cursor };
  }),
  refetchInterval: () => (performance.now() - sentAt < WAITED_MS ? AGAIN_MS : false),
});

/** Sends something that has an attempt. */
async function sends<Answer>(sending: Promise<Answer>): Promise<Answer> {
  const answer = await sending;
  sentAt = performance.now();
  return answer;
}

/** Why a webhook failed last; null where it never did, as far as that is kept. */
export const lastFailureQuery = (id: number) =>
  queryOptions({
    queryKey: [DELIVERIES, 'last', id],
    queryFn: async ({ signal }): Promise<Attempt | null> => {
      const query = { webhook_id: id, status: 'failed' as const, limit: 1 };
      const { deliveries } = await answered(api.GET('/v1/webhooks/deliveries', { params: { query }, signal }));
      return deliveries[0] ?? null;
    },
  });

const path = (id: number) => ({ path: { webhook_id: id } });

export const register = (body: NewWebhook) => answered(api.POST('/v1/webhooks', { body }));
export const change = (id: number, body: ChangeWebhook) =>
  answered(api.PATCH('/v1/webhooks/{webhook_id}', { params: path(id), body }));
export const remove = (id: number) => answered(api.DELETE('/v1/webhooks/{webhook_id}', { params: path(id) }));
export const test = (id: number) => sends(answered(api.POST('/v1/webhooks/{webhook_id}/test', { params: path(id) })));
/** @param grace seconds for which the secret of before signs, too */
export const rotate = (id: number, grace: number) =>
  answered(
    api.POST('/v1/webhooks/{webhook_id}/rotate-secret', {
      params: { ...path(id), query: { grace_seconds: grace } },
    }),
  );
export const resend = (delivery: string) =>
  sends(
    answered(api.POST('/v1/webhooks/deliveries/{delivery_id}/retry', { params: { path: { delivery_id: delivery } } })),
  );

/** Events are kept for so long that are not delivered (WEBHOOK_RETENTION_DAYS), unless it is set otherwise. */
const KEPT_SECONDS = 30 * 86_400;

/**
 * Sends a webhook what it missed; one that is switched off is switched on for it.
 *
 * @param now seconds since 1970
 */
export async function recover(webhook: Webhook, now: number): Promise<{ recovered: number; more: boolean }> {
  const { webhook_id: id, active } = webhook;
  if (!active) await change(id, { active: true });
  const since = Math.max(0, Math.floor(now - KEPT_SECONDS));
  return sends(answered(api.POST('/v1/webhooks/{webhook_id}/recover', { params: path(id), body: { since } })));
}
