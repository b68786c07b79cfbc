import { toUnixSeconds } from '@haldir/kernel';
import { z } from 'zod';
import { type PushSubscription } from '../push-subscription.entity.js';
import { type NewPushSubscription } from '../push-subscriptions.service.js';

const MOST_CHARS = 1024;
const ENDPOINT = `expected an address of at most ${MOST_CHARS} characters`;
const BROWSER = 'expected a text of at most 64 characters';

/** Exactly so many bytes, in base64url; browsers write no padding. */
const bytes = (length: number) => {
  const expected = `expected ${length} bytes in base64url, as the browser gives them`;
  return z
    .string(expected)
    .regex(/^[\w-]{1,100}$/, expected)
    .refine((text) => Buffer.from(text, 'base64url').length === length, expected);
};

/** As `PushSubscription.toJSON()` of a browser gives it. */
export const SubscribeToPush = z.object({
  endpoint: z.string(ENDPOINT).min(1, ENDPOINT).max(MOST_CHARS, ENDPOINT),
  expirationTime: z.unknown().optional().describe('Not read'),
  keys: z.object({ p256dh: bytes(65), auth: bytes(16) }, 'expected an object with p256dh and auth'),
  browser: z.string(BROWSER).max(64, BROWSER).default('').describe('What its person tells it from others by'),
});
export type SubscribeToPush = z.infer<typeof SubscribeToPush>;

export function toNewPushSubscription({ endpoint, keys, browser }: SubscribeToPush): NewPushSubscription {
  return { endpoint, keys, browser };
}

export const PushSubscriptionDetail = z.object({
  subscription_id: z.string(),
  browser: z.string(),
  service: z.string().describe('The host of its push service'),
  endpoint_sha256: z.string().describe('SHA-256 (hex) of its endpoint, by which a page finds whether it is its own'),
  created_at: z.number().describe('Unix timestamp'),
  told_at: z.number().nullable().describe('When its push service has taken something for it last: Unix timestamp'),
});
export type PushSubscriptionDetail = z.infer<typeof PushSubscriptionDetail>;

export const OwnPushView = z.object({
  public_key: z.string().describe('What browsers subscribe with (VAPID): a point of P-256, in base64url'),
  subscriptions: z.array(PushSubscriptionDetail),
});
export type OwnPushView = z.infer<typeof OwnPushView>;

export const PushUnsubscribed = z.object({ removed: z.literal(true), subscription_id: z.string() });
export type PushUnsubscribed = z.infer<typeof PushUnsubscribed>;

export function toPushSubscriptionDetail(subscription: PushSubscription): PushSubscriptionDetail {
  const { id, browser, service, endpointHash, createdAt, toldAt } = subscription;
  return {
    subscription_id: id,
    browser,
    service,
    endpoint_sha256: endpointHash.toString('hex'),
    created_at: toUnixSeconds(createdAt),
    told_at: toldAt && toUnixSeconds(toldAt),
  };
}
