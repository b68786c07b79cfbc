import { toDollars } from '@haldir/kernel';
import { type Attempt } from '@haldir/http';
import { type PolicyExplanation, explain } from '../policies/policy-refusal.js';
import { type CallEnding } from '../upstreams/upstream-statistics.js';
import { type CallDetails, type LoggedDecision, type OutcomeDetails } from './call-details.js';
import { type EntryWords } from './call-kind.js';
import { CALL_SCOPES, type CallOutcome, type PerformedCall } from './call-outcome.js';

type Kind = CallOutcome['kind'];
type OutcomeOf<Of extends Kind> = Extract<CallOutcome<unknown>, { kind: Of }>;
type Facts = Readonly<Record<string, unknown>>;

/** What Haldir says to a call that it does not make: the same over REST and MCP, of tools and reads. */
export interface CallRefusal {
  code: string;
  message: string;
  /** For programs, beside the message. */
  facts: Facts;
  /** Of reads, where they are told less. */
  readFacts?: Facts;
  /** For the log, beside the message. */
  logged: Partial<OutcomeDetails>;
  /** Over REST, members of the body too. */
  explained?: { explanation: PolicyExplanation[]; unexplained?: number };
}

/** Said of calls that nobody can be asked to approve. */
const UNSHOWABLE = 'The call needs approval, and its arguments are too long to be shown to whoever decides';
/** Said of calls of a tool that is held back. */
const DRIFTED =
  'The upstream has changed what it says of this tool; calls of it are held back until an operator accepts the change';
/** Said of requests whose headers contradict them. */
export const MISMATCHED = 'The Mcp-Param headers do not repeat the arguments as the tool asks';

/** Outcomes that every door tells in the same words: one more is one more row here, and nothing else. */
const REFUSALS = {
  no_scope: () => ({
    code: 'missing_session_scope',
    message: `The session holds none of the scopes ${CALL_SCOPES.join(', ')}`,
    facts: { required: CALL_SCOPES },
    logged: {},
  }),
  no_key: ({ error: { code, message } }) => ({ code, message, facts: { code }, logged: { code } }),
  blocked: ({ refusals }) => {
    const [{ policyId, type, reason }] = refusals;
    const explained = explain(refusals);
    const facts = { policy_id: policyId, policy: type, ...explained };
    return { code: 'blocked_by_policy', message: reason, facts, logged: facts, explained };
  },
  unaffordable: ({ denial: { reason, price, remaining } }) => {
    const code = 'insufficient_budget';
    const facts = {
      code,
      price_usd: toDollars(price),
      remaining_budget: remaining === null ? null : toDollars(remaining),
    };
    return { code, message: reason, facts, logged: facts };
  },
  drifted: ({ upstream, tool }) => {
    const code = 'tool_drift';
    return { code, message: DRIFTED, facts: { code, upstream, tool }, logged: { code } };
  },
  no_secret: ({ refusal: { code, message, facts } }) => ({
    code,
    message,
    facts: { code },
    logged: { code, ...facts },
  }),
  unshowable: ({ error: { code } }) => ({
    code,
    message: UNSHOWABLE,
    facts: { code },
    readFacts: {},
    logged: { code },
  }),
  unapprovable: ({ reason }) => {
    const code = 'unapprovable';
    return { code, message: reason, facts: { code }, readFacts: {}, logged: {} };
  },
} satisfies { [Of in Kind]?: (outcome: OutcomeOf<Of>) => CallRefusal };

type RefusedKind = keyof typeof REFUSALS;
/** An outcome that every door tells in the same words. */
export type RefusedOutcome = OutcomeOf<RefusedKind>;

type Words = Pick<EntryWords<never, never, unknown>, 'unknown' | 'ambiguous' | 'resultOf'>;

/** What the pipeline has to know of an outcome. */
interface OutcomeRow<Outcome> {
  /** As the log has it; metrics and the entry's action follow from it. */
  decision: LoggedDecision;
  /** What the log says beside. */
  logged(outcome: Outcome, words: Words): Partial<OutcomeDetails>;
  /** Whether the call certainly had no effect, and may have one if it is tried again: its `Idempotency-Key` stays free. */
  leavesKeyFree?(outcome: Outcome): boolean;
  /** Whether the price of the call is spent; else it is given back. */
  isPaid?: true;
  /** As the statistics of its upstream count it, of a call that was sent; else it has failed. */
  ending?(outcome: Outcome, words: Words): CallEnding;
}

/** Outcomes that each door tells in its own words: the compiler names those that lack some for one more. */
const OTHERS: { [Of in Exclude<Kind, RefusedKind>]: OutcomeRow<OutcomeOf<Of>> } = {
  no_session: {
    decision: 'blocked',
    logged: () => ({ reason: 'The session is unknown, expired or revoked' }),
    leavesKeyFree: () => true,
  },
  mismatched: { decision: 'blocked', logged: () => ({ reason: MISMATCHED }) },
  unknown: {
    decision: 'blocked',
    logged: ({ upstreams }, words) => ({ reason: upstreams.length === 0 ? words.unknown : words.ambiguous }),
  },
  held: { decision: 'approval_required', logged: ({ request }) => ({ request_id: request.requestId }) },
  denied: { decision: 'approval_denied', logged: ({ requestId }) => ({ request_id: requestId }) },
  answered: {
    decision: 'allowed',
    logged: ({ result }, words) => ({ result: words.resultOf(result) }),
    // Also of one that says isError: the tool ran.
    isPaid: true,
    ending: ({ result }, words) => (words.resultOf(result) === 'tool_error' ? 'tool_error' : 'answered'),
  },
  asked: { decision: 'allowed', logged: () => ({ result: 'input_required' }), ending: () => 'answered' },
  refused: { decision: 'allowed', logged: ({ error }) => ({ result: 'refused', rpc_code: error.rpcCode }) },
  unreachable: {
    decision: 'allowed',
    logged: ({ error: { reason, sent } }) => ({ result: 'unreachable', reason, sent }),
    leavesKeyFree: ({ error }) => !error.sent,
  },
};

const REFUSED: OutcomeRow<RefusedOutcome> = {
  decision: 'blocked',
  logged: (outcome) => {
    const { message, logged } = refusalOf(outcome);
    return { reason: message, ...logged };
  },
};

/** Of an entry's action, after its name. */
const SUFFIXES: Readonly<Record<LoggedDecision, string>> = {
  allowed: '',
  blocked: '_blocked',
  approval_denied: '_blocked',
  approval_required: '_held',
};
const COUNTED_AS = {
  allowed: 'allowed',
  blocked: 'denied',
  approval_denied: 'denied',
  approval_required: 'held',
} as const satisfies Record<LoggedDecision, string>;

export function isRefused(outcome: CallOutcome<unknown>): outcome is RefusedOutcome {
  return outcome.kind in REFUSALS;
}

export function refusalOf(outcome: RefusedOutcome): CallRefusal {
  return (REFUSALS[outcome.kind] as (outcome: RefusedOutcome) => CallRefusal)(outcome);
}

/** An outcome as the log has it. */
export function loggedOf<Result>(
  outcome: CallOutcome<Result>,
  words: EntryWords<never, never, Result>,
): { suffix: string; facts: Pick<CallDetails, 'decision'> & Partial<OutcomeDetails> } {
  const row = rowOf(outcome);
  return { suffix: SUFFIXES[row.decision], facts: { decision: row.decision, ...row.logged(outcome, words) } };
}

/** As metrics count it. */
export function decisionOf(outcome: CallOutcome<unknown>): 'allowed' | 'denied' | 'held' {
  return COUNTED_AS[rowOf(outcome).decision];
}

/** As the statistics of its upstream count a call that was sent. */
export function endingOf<Result>(outcome: CallOutcome<Result>, words: EntryWords<never, never, Result>): CallEnding {
  return rowOf(outcome).ending?.(outcome, words) ?? 'failed';
}

export function isPaid(outcome: CallOutcome<unknown>): boolean {
  return rowOf(outcome).isPaid ?? false;
}

/** A call as its `Idempotency-Key` sees it. */
export function attemptOf<Result>(performed: PerformedCall<Result>): Attempt<PerformedCall<Result>> {
  const { outcome } = performed;
  const isUndone = rowOf(outcome).leavesKeyFree?.(outcome) ?? false;
  return { kind: isUndone ? 'undone' : 'done', outcome: performed };
}

function rowOf(outcome: CallOutcome<unknown>): OutcomeRow<CallOutcome<unknown>> {
  return isRefused(outcome) ? REFUSED : OTHERS[outcome.kind];
}
