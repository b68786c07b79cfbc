import { microUsd, toDollars, toUnixSeconds } from '@haldir/kernel';
import { decimal, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type ApprovalGrant, GRANT_STATES } from '../approval-grant.entity.js';
import { type GrantPreview } from '../approval-grants.js';
import { type AlikeArguments, type GrantTerms, MAX_ARGUMENT_CHARS, MAX_ARGUMENTS } from '../grant-terms.js';

const MAX_USES = 1000;
const MIN_TTL_SECONDS = 60;
const MAX_TTL_SECONDS = 30 * 86_400;
const usesExpected = `expected a whole number from 1 to ${MAX_USES}`;
const ttlExpected = `expected a whole number of seconds from ${MIN_TTL_SECONDS} to ${MAX_TTL_SECONDS}`;
const MEMBERS = 'expected no members but uses, ttl, free_arguments and total_amount';
const freeExpected = `expected a list of at most ${MAX_ARGUMENTS} names of arguments`;

/** Of approvals that are given for calls alike. */
export const WantedTerms = z
  .strictObject(
    {
      uses: z
        .int(usesExpected)
        .min(1, usesExpected)
        .max(MAX_USES, usesExpected)
        .describe('How many calls in all, the one that waits included'),
      ttl: z
        .int(ttlExpected)
        .min(MIN_TTL_SECONDS, ttlExpected)
        .max(MAX_TTL_SECONDS, ttlExpected)
        .describe('For how long (seconds)'),
      free_arguments: z
        .array(z.string(freeExpected).max(MAX_ARGUMENT_CHARS, freeExpected), freeExpected)
        .max(MAX_ARGUMENTS, freeExpected)
        .default([])
        .describe('Arguments that may be anything; all others are as in the call that waits, none more and none fewer'),
      total_amount: decimal({ decimals: 6, min: 0, max: 1_000_000_000 })
        .nullish()
        .describe('What all of the calls may spend (USD), as rules see it; without it they may spend nothing'),
    },
    // What is not understood would allow more than was meant.
    { error: ({ code }) => (code === 'unrecognized_keys' ? MEMBERS : 'expected an object') },
  )
  .meta({ id: 'GrantTerms' });
export type WantedTerms = z.infer<typeof WantedTerms>;

export function toGrantTerms({ uses, ttl, free_arguments: free, total_amount: total }: WantedTerms): GrantTerms {
  return {
    uses,
    ttlSeconds: ttl,
    freeArguments: [...new Set(free)].sort(),
    totalAmount: total === null || total === undefined ? null : microUsd(total),
  };
}

const ApprovalOptions = z.object({ grant: WantedTerms.optional() });
export type ApprovalOptions = z.infer<typeof ApprovalOptions>;
/** An absent body is an empty one. */
export const ApprovalOptionsBody = z.preprocess((body) => body ?? {}, ApprovalOptions);

export const PreviewGrant = z.object({ grant: WantedTerms });
export type PreviewGrant = z.infer<typeof PreviewGrant>;

export const GrantPreviewed = z.object({
  days: z.int().describe('How many days back was looked'),
  waited: z.int().describe('How many calls of the tool by this agent waited for a human then, of the newest 1,000'),
  alike: z
    .int()
    .describe(
      'Of these, those with arguments like this call’s, which nothing else held back; whatever else has changed since',
    ),
  let_through: z.int().describe('Of these, those that the grant would have let through, oldest first'),
});
export type GrantPreviewed = z.infer<typeof GrantPreviewed>;

export function toGrantPreviewed({ waited, alike, letThrough }: GrantPreview): GrantPreviewed {
  return { days: 7, waited, alike, let_through: letThrough };
}

export const ListGrants = z.object({
  agent_id: z
    .string('expected one agent id')
    .max(128, 'expected at most 128 characters')
    .optional()
    .describe('Filter by agent'),
  state: z
    .enum(['live', 'ended'], 'expected live or ended')
    .optional()
    .describe('Only those that let something through, or only the others'),
  ...pageQuery,
});
export type ListGrants = z.infer<typeof ListGrants>;

export const GrantDetail = z
  .object({
    grant_id: z.string(),
    request_id: z.string().describe('The request by whose approval it was given; shows the whole call'),
    agent_id: z.string(),
    tool: z.string(),
    arguments: z.array(z.string()).describe('Of the call; a call like it has these, none more and none fewer'),
    free_arguments: z.array(z.string()).describe('Those that may be anything; the others are as in the request'),
    state: z.enum(GRANT_STATES),
    uses: z.int().describe('How many calls in all'),
    used: z.int(),
    total_amount: z.number().nullable().describe('What all of the calls may spend (USD); null when nothing'),
    spent: z.number().describe('USD'),
    granted_by: z.string(),
    granted_key: z.string().describe('Prefix of the API key that gave it, or the id of the person'),
    created_at: z.number().describe('Unix timestamp'),
    expires_at: z.number().describe('Unix timestamp'),
    revoked_at: z.number().nullable().describe('Unix timestamp'),
    revoked_key: z.string().nullable(),
  })
  .meta({ id: 'ApprovalGrant' });
export type GrantDetail = z.infer<typeof GrantDetail>;

export function toGrantDetail(grant: ApprovalGrant, now: Date): GrantDetail {
  const alike = JSON.parse(grant.alike) as AlikeArguments;
  return {
    grant_id: grant.id,
    request_id: grant.requestId,
    agent_id: grant.agentId,
    tool: grant.tool,
    arguments: alike.map(([name]) => name),
    free_arguments: alike.filter(([, sha256]) => sha256 === null).map(([name]) => name),
    state: grant.stateAt(now),
    uses: grant.uses,
    used: grant.used,
    total_amount: grant.total === null ? null : toDollars(grant.total),
    spent: toDollars(grant.spent),
    granted_by: grant.grantedBy,
    granted_key: grant.grantedKey,
    created_at: toUnixSeconds(grant.createdAt),
    expires_at: toUnixSeconds(grant.expiresAt),
    revoked_at: grant.revokedAt && toUnixSeconds(grant.revokedAt),
    revoked_key: grant.revokedKey,
  };
}

export const GrantList = z.object({ count: z.int(), grants: z.array(GrantDetail), next_cursor: nextCursor });
export type GrantList = z.infer<typeof GrantList>;

export const GrantRevoked = z.object({ revoked: z.literal(true), grant_id: z.string() });
export type GrantRevoked = z.infer<typeof GrantRevoked>;
