import {
  decimalOf,
  isNumber,
  type JsonNumber,
  type MicroUsd,
  parseJson,
  toDollars,
  toJsonNumber,
  toUnixSeconds,
} from '@haldir/kernel';
import { type ApprovalOutcome } from '@haldir/approvals';
import { type AuditRecord } from '@haldir/audit-log';
import { type Amount } from '../policies/amount.js';
import { type PolicyExplanation } from '../policies/policy-refusal.js';
import { type PolicyType } from '../policies/policy.js';

/** `log_only` policies that are named in an entry. */
const MAX_LOG_ONLY = 50;

export const LOGGED_DECISIONS = ['allowed', 'blocked', 'approval_required', 'approval_denied'] as const;
export type LoggedDecision = (typeof LOGGED_DECISIONS)[number];

/** What the log says of a call, as JSON: everything that is written or read of it. What does not apply is left out. */
export type CallDetails = {
  /** First, because the log can be filtered by it: a column reads it there. */
  decision: LoggedDecision;
} & Partial<OutcomeDetails & NotedDetails & DigestDetails> & {
    /** Of a call that left, when nobody learns what became of it. */
    outcome?: 'unknown';
    latency_ms?: number;
  };

/** What became of it. */
export type OutcomeDetails = {
  /** Why it was not made, or got no answer. */
  reason: string;
  code: string;
  /** The first policy that refuses it. */
  policy_id: string;
  policy: PolicyType;
  /** All policies that do. */
  explanation: PolicyExplanation[];
  unexplained: number;
  price_usd: number;
  remaining_budget: number | null;
  /** Of a secret that it may not use, and where it refers to it. */
  secret: string;
  secret_reason: string;
  required: string;
  argument: string;
  upstream: string;
  /** Of the request for approval. */
  request_id: string;
  result: 'ok' | 'tool_error' | 'input_required' | 'refused' | 'unreachable';
  rpc_code: number;
  sent: boolean;
};

/** What it takes to decide the call again, and what was made of it beside. */
type NotedDetails = {
  upstream: string;
  destructive: true;
  own_name: false;
  amount: JsonNumber | number | 'unclear';
  /** Unix seconds, to the millisecond. */
  decided_at: number;
  rated_at: number;
  price_usd: number;
  authorization_id: string;
  /** Of the request whose approval let it through. */
  approval: string;
  would_block: { policy_id: string; type: PolicyType; reason: string }[];
  would_hold: { policy_id: string }[];
};

/** Of arguments and of what was answered to the tool, which may hold secrets. */
export type DigestDetails = { arguments_sha256: string; answers_sha256: string };

/** What a call was decided by, beside its target's name and agent. */
export interface DecidedBy {
  destructive: boolean;
  goesByOwnName: boolean;
  amount: Amount;
  decidedAt: Date;
  /** When its rates were decided, by the clock that the windows go by; null when no limit applied. */
  ratedAt: Date | null;
  /** Of the request whose approval let it through. */
  approvalId: string | null;
}

/** What was made of a call beside deciding it. */
export interface NotedBeside {
  charge: { price: MicroUsd; paymentId: string } | null;
  wouldBlock: readonly { policyId: string; type: PolicyType; reason: string }[];
  wouldHold: readonly { id: string }[];
}

/** @param upstream null where nobody has the tool */
export function writeNoted(
  upstream: string | null,
  by: DecidedBy,
  { charge, wouldBlock, wouldHold }: NotedBeside,
): Partial<NotedDetails> {
  const { amount, decidedAt, ratedAt, approvalId } = by;
  return {
    ...(upstream === null ? {} : { upstream }),
    ...(by.destructive ? { destructive: true } : {}),
    ...(by.goesByOwnName ? {} : { own_name: false }),
    ...(amount === null ? {} : { amount: amount === 'unclear' ? amount : toJsonNumber(amount) }),
    decided_at: toUnixSeconds(decidedAt),
    ...(ratedAt === null || ratedAt.getTime() === decidedAt.getTime() ? {} : { rated_at: toUnixSeconds(ratedAt) }),
    ...(charge === null ? {} : { price_usd: toDollars(charge.price), authorization_id: charge.paymentId }),
    ...(approvalId === null ? {} : { approval: approvalId }),
    ...(wouldBlock.length === 0
      ? {}
      : {
          would_block: wouldBlock
            .slice(0, MAX_LOG_ONLY)
            .map(({ policyId, type, reason }) => ({ policy_id: policyId, type, reason })),
        }),
    ...(wouldHold.length === 0
      ? {}
      : { would_hold: wouldHold.slice(0, MAX_LOG_ONLY).map(({ id }) => ({ policy_id: id })) }),
  };
}

/** How an approved call ended, by what its entry says; one that did not leave has failed. */
export function approvedOutcomeOf(details: AuditRecord['details']): ApprovalOutcome {
  const { result, sent, outcome }: Parsed = typeof details === 'object' ? (details ?? {}) : {};
  if (outcome === 'unknown') return outcome;
  if (result === 'ok') return 'performed';
  if (result === 'input_required') return result;
  return result === 'unreachable' && sent !== false ? 'unknown' : 'failed';
}

/** Of what let the call through, by what its entry says. */
export function approvalIn(details: AuditRecord['details']): string | null {
  const { approval }: Parsed = typeof details === 'object' ? (details ?? {}) : {};
  return typeof approval === 'string' ? approval : null;
}

/** What an entry says of how its call was decided. */
export interface ReadDetails {
  decision: LoggedDecision;
  /** Whether a policy refused it. */
  byPolicy: boolean;
  /** Null where nobody has the tool. */
  upstream: string | null;
  /** Null in entries from before they said this, and in those of calls that came before no policy. */
  decidedBy: DecidedBy | null;
}

/** Null for details that are no call's. */
export function readDetails(text: string): ReadDetails | null {
  const details = parse(text);
  const decision = LOGGED_DECISIONS.find((each) => each === details?.decision);
  if (!details || decision === undefined) return null;
  const { policy_id: policyId, upstream } = details;
  return {
    decision,
    byPolicy: policyId !== undefined,
    upstream: typeof upstream === 'string' ? upstream : null,
    decidedBy: readDecidedBy(details),
  };
}

/** What was parsed: the members of `CallDetails`, whatever is in them. */
type Parsed = { [Member in keyof CallDetails]?: unknown };

function readDecidedBy(details: Parsed): DecidedBy | null {
  const { amount, decided_at: decidedAt, rated_at: ratedAt, approval } = details;
  if (typeof decidedAt !== 'number') return null;
  return {
    destructive: details.destructive === true,
    goesByOwnName: details.own_name !== false,
    amount: amount === 'unclear' ? amount : isNumber(amount) ? decimalOf(amount) : null,
    decidedAt: toTime(decidedAt),
    ratedAt: typeof ratedAt === 'number' ? toTime(ratedAt) : null,
    approvalId: typeof approval === 'string' ? approval : null,
  };
}

/** Unix seconds with a fraction, which is not exact in binary. */
function toTime(seconds: number): Date {
  return new Date(Math.round(seconds * 1000));
}

function parse(text: string): Parsed | null {
  try {
    const value = parseJson(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
