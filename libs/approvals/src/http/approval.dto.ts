import { type Actor, microUsd, readsAsOwn, toDollars, toUnixSeconds } from '@haldir/kernel';
import { decimal, longPageQuery, nextCursor, pageQuery } from '@haldir/http';
import { PasskeyAssertion } from '@haldir/people/http';
import { z } from 'zod';
import { type GrantableCall } from '../grant-terms.js';
import {
  APPROVAL_OUTCOMES,
  APPROVAL_STATUSES,
  type ApprovalRequest,
  VIEW_DETAILS_CHARS,
} from '../approval-request.entity.js';
import { NOTIFIED, type Telling } from '../approval-tellings.js';
import { ruleIdsOf } from '../approval-subject.js';
import { type NewApprovalRequest } from '../approval.service.js';
import { shownDetails } from '../shown-details.js';
import { WantedTerms } from './approval-grant.dto.js';

const MAX_TTL_SECONDS = 604_800;
const OWN_TOOL = 'expected a name that does not read as one of Haldir’s own';
const ttlExpected = `expected a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`;
const text = (max: number) =>
  z.string(`expected a text of at most ${max} characters`).max(max, `expected a text of at most ${max} characters`);

export const RequestApproval = z.object({
  session_id: z.string('expected a session id'),
  tool: text(330)
    .refine((tool) => !readsAsOwn(tool), OWN_TOOL)
    .default(''),
  action: text(1000).default(''),
  amount: decimal({ decimals: 6, min: 0, max: 1_000_000_000 }).default(0),
  reason: text(4000).default(''),
  details: z
    .union([z.string(), z.record(z.string(), z.unknown())], 'expected a text, an object or null')
    .nullish()
    .describe('What whoever decides should see; an object is kept as its JSON text'),
  ttl: z
    .int(ttlExpected)
    .min(1, ttlExpected)
    .max(MAX_TTL_SECONDS, ttlExpected)
    .default(3600)
    .describe('Time before the request expires (seconds)'),
});
export type RequestApproval = z.infer<typeof RequestApproval>;

/** @throws DetailsTooLong */
export async function toNewApprovalRequest(
  body: RequestApproval,
  agentId: string,
  actor: Actor,
): Promise<NewApprovalRequest> {
  const details = body.details ?? null;
  return {
    sessionId: body.session_id,
    agentId,
    tool: body.tool,
    action: body.action,
    amount: microUsd(body.amount),
    reason: body.reason,
    details: details === null ? null : await shownDetails(details),
    ttlSeconds: body.ttl,
    actor,
  };
}

export const ApprovalRequested = z.object({ request_id: z.string(), status: z.string(), expires_at: z.number() });
export type ApprovalRequested = z.infer<typeof ApprovalRequested>;

/** What every view of a request shows. */
const shared = {
  request_id: z.string(),
  agent_id: z.string(),
  tool: z.string(),
  action: z.string(),
  amount: z.number(),
  reason: z.string(),
  details: z
    .string()
    .nullable()
    .describe(
      `What the request is about, for whoever decides: its first ${VIEW_DETAILS_CHARS} characters. Hidden characters here and above read \\u{…}`,
    ),
  details_cut: z
    .boolean()
    .describe('Whether the details go on: read all of them at details_path before you approve the request'),
  details_path: z.string().nullable().describe('Where all of the details are, part by part; null when these are all'),
  digest: z
    .string()
    .nullable()
    .describe('SHA-256 (hex) of the exact call the approval lets through; null when an agent asked of its own accord'),
  requested_key: z.string().nullable().describe('Prefix of the API key that asked, or the id of the person'),
  created_at: z.number().describe('Unix timestamp'),
  expires_at: z.number().describe('Unix timestamp'),
};

const notified = z.enum(NOTIFIED);

export const ApprovalDetail = z
  .object({
    ...shared,
    status: z.string().describe('pending, approved, or denied'),
    decided_by: z.string().nullable(),
    decision_note: z.string().nullable(),
    decided_at: z.number().nullable().describe('Unix timestamp'),
    decided_key: z.string().nullable().describe('Prefix of the API key that decided, or the id of the person'),
    signed: z
      .boolean()
      .describe('Whether the person who decided signed it with a passkey; the entry of the log has what was signed'),
    outcome: z
      .enum(APPROVAL_OUTCOMES)
      .nullable()
      .describe(
        'How it ended: what became of the call that it let through (input_required: its tool has asked something first), or expired, undecided or with no call made; null while it has not, and where it lets no call through by itself',
      ),
    consumed: z.boolean().describe('Whether the call it stands for was let through'),
    rule_ids: z.array(z.string()).describe('The policies and approval rules that hold it back'),
    grantable_arguments: z
      .array(z.string())
      .nullable()
      .describe(
        'Arguments of the call that others like it may have otherwise; null where this call alone can be approved',
      ),
    grant_id: z.string().nullable().describe('The grant by which it was approved, and which lets its call through'),
    told: z
      .int()
      .optional()
      .describe(
        'How many webhooks and people, by e-mail or in a browser, have taken the request so far; 0: nobody was told of it yet. Of a request that is asked for by itself',
      ),
    notified: notified
      .optional()
      .describe(
        'Whether anybody was told of it: pending while it is not known or on its way, nobody when there was nobody to tell or nobody could be told. Of a request that is asked for by itself, and only as long as it is known',
      ),
  })
  .meta({ id: 'ApprovalDetail' });
export type ApprovalDetail = z.infer<typeof ApprovalDetail>;

export const PendingApproval = z.object(shared).meta({ id: 'PendingApproval' });
export type PendingApproval = z.infer<typeof PendingApproval>;

export function toPendingApproval(request: ApprovalRequest): PendingApproval {
  const { details, isCut } = beginningOf(request.details);
  return {
    request_id: request.id,
    agent_id: request.agentId,
    tool: request.tool,
    action: request.action,
    amount: toDollars(request.amount),
    reason: request.reason,
    details,
    details_cut: isCut,
    details_path: isCut ? `/v1/approvals/${request.id}/details` : null,
    digest: request.digest?.toString('hex') ?? null,
    requested_key: request.requestedKey,
    created_at: toUnixSeconds(request.createdAt),
    expires_at: toUnixSeconds(request.expiresAt),
  };
}

export function toTelling({ told, notified }: Telling): Pick<ApprovalDetail, 'told' | 'notified'> {
  return { told, ...(notified === null ? {} : { notified }) };
}

function beginningOf(details: string | null): { details: string | null; isCut: boolean } {
  if (details === null || details.length <= VIEW_DETAILS_CHARS) return { details, isCut: false };
  const characters = [...details];
  const isCut = characters.length > VIEW_DETAILS_CHARS;
  return { details: isCut ? characters.slice(0, VIEW_DETAILS_CHARS).join('') : details, isCut };
}

export function toApprovalDetail(request: ApprovalRequest, now: Date): ApprovalDetail {
  return {
    ...toPendingApproval(request),
    status: request.statusAt(now),
    decided_by: request.decidedBy,
    decision_note: request.decisionNote,
    decided_at: request.decidedAt === null ? null : toUnixSeconds(request.decidedAt),
    decided_key: request.decidedKey,
    signed: request.signature !== null,
    outcome: outcomeAt(request, now),
    consumed: request.consumedAt !== null,
    rule_ids: ruleIdsOf(request),
    grantable_arguments: grantableArguments(request),
    grant_id: request.grantId,
  };
}

/** It has expired the moment its time is up, whether or not anyone has noted it yet. */
function outcomeAt(request: ApprovalRequest, now: Date): ApprovalDetail['outcome'] {
  return request.outcome ?? (request.statusAt(now) === 'expired' ? 'expired' : null);
}

function grantableArguments({ grantable, amountUnclear }: ApprovalRequest): string[] | null {
  if (grantable === null || amountUnclear) return null;
  return (JSON.parse(grantable) as GrantableCall).arguments.map(([name]) => name);
}

const requestFilters = {
  agent_id: z
    .string('expected one agent id')
    .max(128, 'expected at most 128 characters')
    .optional()
    .describe('Filter by agent'),
  tool: z
    .string('expected one tool name')
    .max(330, 'expected one tool name')
    .optional()
    .meta({ example: 'everything.echo' })
    .describe('Filter by tool, as requests show it'),
  rule: z
    .string('expected one id of a policy or approval rule')
    .max(64, 'expected one id of a policy or approval rule')
    .optional()
    .meta({ example: 'apl_… (from addApprovalRule)' })
    .describe('Id of the policy or approval rule that asked; none for what an agent asked of its own accord'),
};

export const ListPendingApprovals = z.object({ ...requestFilters, ...longPageQuery });
export type ListPendingApprovals = z.infer<typeof ListPendingApprovals>;

export const PendingApprovalList = z.object({
  count: z.int(),
  requests: z.array(PendingApproval),
  next_cursor: nextCursor,
});
export type PendingApprovalList = z.infer<typeof PendingApprovalList>;

export const ListApprovals = z.object({
  ...requestFilters,
  status: z
    .enum(APPROVAL_STATUSES, `expected one of ${APPROVAL_STATUSES.join(', ')}`)
    .optional()
    .describe('Filter by status'),
  ...pageQuery,
});
export type ListApprovals = z.infer<typeof ListApprovals>;

export const ApprovalList = z.object({ count: z.int(), requests: z.array(ApprovalDetail), next_cursor: nextCursor });
export type ApprovalList = z.infer<typeof ApprovalList>;

const assertion = PasskeyAssertion.optional().describe(
  'What a person signed with a passkey, as JSON, by the options for this decision; pages of Haldir do that',
);

export const ApproveRequest = z.object({
  decided_by: text(128).default('').describe('Who approved (e.g. human operator name)'),
  note: text(1000).default('').describe('Optional note on the decision'),
  grant: WantedTerms.optional().describe(
    'Allows calls like this one, so many, so long, instead of this one once; the call that waits is one of them',
  ),
  assertion,
});
export const DenyRequest = z.object({
  decided_by: text(128).default(''),
  note: text(1000).default(''),
  assertion,
  reason: text(1000).optional().describe('The note under the name that some clients give it; a note goes before it'),
});
export type Decide = Omit<z.infer<typeof ApproveRequest>, 'grant'> & {
  grant?: WantedTerms | undefined;
  reason?: string | undefined;
};

/** An absent body is an empty one. */
export const ApproveRequestBody = z.preprocess((body) => body ?? {}, ApproveRequest);
export const DenyRequestBody = z.preprocess((body) => body ?? {}, DenyRequest);

export const RequestApproved = z.object({
  approved: z.literal(true),
  request_id: z.string(),
  grant_id: z.string().optional().describe('With a grant'),
});
export type RequestApproved = z.infer<typeof RequestApproved>;

export const RequestDenied = z.object({ denied: z.literal(true), request_id: z.string() });
export type RequestDenied = z.infer<typeof RequestDenied>;
