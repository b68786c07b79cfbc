import { flagsIn, textsIn } from '../parts/search.ts';

/** What `/webhooks` shown is kept in its address. */
export interface WebhooksSearch {
  /** The webhook that is open. */
  webhook?: string;
  add?: true;
}

export function readWebhooksSearch(search: Record<string, unknown>): WebhooksSearch {
  return { ...textsIn(search, ['webhook']), ...flagsIn(search, ['add']) };
}

export interface DeliveriesSearch {
  webhook_id?: string;
  /** Of the attempt. */
  outcome?: 'delivered' | 'failed';
  event?: string;
  event_id?: string;
}

export function readDeliveriesSearch(search: Record<string, unknown>): DeliveriesSearch {
  const { outcome } = search;
  return {
    ...textsIn(search, ['webhook_id', 'event', 'event_id']),
    ...(outcome === 'delivered' || outcome === 'failed' ? { outcome } : {}),
  };
}
