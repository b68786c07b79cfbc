import { type HaldirReply } from '../auth/caller.js';

/** A window of requests as last seen. */
export interface QuotaState {
  /** What the limit goes by. */
  tier: string;
  limit: number;
  used: number;
  windowSeconds: number;
  /** Unix second at which the oldest counted requests leave the window. */
  resetAt: number;
  resetAfter: number;
}

/** The legacy headers and those of draft-ietf-httpapi-ratelimit-headers-11, whose names are quoted strings. */
export function setRateLimitHeaders(reply: HaldirReply, state: QuotaState): void {
  const { tier, limit, used, windowSeconds, resetAt, resetAfter } = state;
  const remaining = Math.max(0, limit - used);
  reply.headers({
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-used': used,
    'x-ratelimit-reset': resetAt,
    'x-ratelimit-reset-after': resetAfter,
    'x-ratelimit-resource': 'hourly',
    'ratelimit-policy': `"${tier}";q=${limit};w=${windowSeconds}`,
    ratelimit: `"${tier}";r=${remaining};t=${resetAfter}`,
  });
}
