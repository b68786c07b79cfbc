import { type HaldirReply } from '../auth/caller.js';

const WINDOW_SECONDS = 3600;

/** The window of one key as last seen. */
export interface QuotaState {
  limit: number;
  used: number;
  /** Unix second at which the oldest counted request leaves the window. */
  resetAt: number;
  resetAfter: number;
}

/** The legacy headers and those of draft-ietf-httpapi-ratelimit-headers-11, whose names are quoted strings. */
export function setRateLimitHeaders(reply: HaldirReply, tier: string, state: QuotaState): void {
  const { limit, used, resetAt, resetAfter } = state;
  const remaining = Math.max(0, limit - used);
  reply.headers({
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-used': used,
    'x-ratelimit-reset': resetAt,
    'x-ratelimit-reset-after': resetAfter,
    'x-ratelimit-resource': 'hourly',
    'ratelimit-policy': `"${tier}";q=${limit};w=${WINDOW_SECONDS}`,
    ratelimit: `"${tier}";r=${remaining};t=${resetAfter}`,
  });
}
