import { toDollars } from '@haldir/kernel';
import { type AuditRecord } from '@haldir/audit-log';
import { type Session } from '@haldir/gate';
import { explain } from '../policies/policy-refusal.js';
import { type CallNotes } from './call-decision.js';
import { type EntryWords } from './call-kind.js';
import { CALL_SCOPES, type CallOutcome, DRIFTED, MISMATCHED, UNSHOWABLE } from './call-outcome.js';

/** Why the entry of a call is flagged in whose answer a secret was masked that it had not used: perhaps one was guessed. */
const MASKED = 'secret_masked: the upstream said a secret that this call did not use, and it was masked';

/** A call that is over. */
interface EndedCall<Target, Result> {
  session: Session | null;
  target: Target | null;
  outcome: CallOutcome<Result>;
  /** Null when it came before no policy. */
  notes: CallNotes | null;
  latencyMs: number;
}

/**
 * What the log says of a call: the decision, how long it took, and digests in place of arguments
 * and of what was answered to the tool, which may hold secrets.
 */
export function toEntry<Request extends object, Target, Result>(
  words: EntryWords<Request, Target, Result>,
  request: Request,
  { session, target, outcome, notes, latencyMs }: EndedCall<Target, Result>,
): AuditRecord {
  const { suffix, ...facts } = describe(words, outcome);
  return {
    source: 'proxy',
    // An unknown session id may be a mistyped credential, so it is not kept.
    ...(session ? { sessionId: session.id, agentId: session.agentId } : {}),
    tool: words.nameOf(request, target),
    action: `${words.actionOf(request)}${suffix}`,
    ...(notes?.masked ? { flag: MASKED } : {}),
    details: {
      ...facts,
      ...(notes ? words.factsOf(notes, target) : {}),
      latency_ms: Math.round(latencyMs * 100) / 100,
      ...digestsOf(words, request),
    },
  };
}

/** What the log says of a call that left, when nobody learns what became of it. */
export function toUnknownEntry<Request extends object, Target, Result>(
  words: EntryWords<Request, Target, Result>,
  request: Request,
  { session, target, notes }: { session: Session; target: Target; notes: CallNotes },
): AuditRecord {
  return {
    ...{ source: 'proxy', sessionId: session.id, agentId: session.agentId, tool: words.nameOf(request, target) },
    action: words.actionOf(request),
    details: {
      ...{ decision: 'allowed', outcome: 'unknown' },
      ...words.factsOf(notes, target),
      ...digestsOf(words, request),
    },
  };
}

/** Written twice, computed once. */
const digests = new WeakMap<object, Record<string, string>>();

function digestsOf<Request extends object>(
  words: Pick<EntryWords<Request, never, never>, 'digestsOf'>,
  request: Request,
): Record<string, string> {
  const known = digests.get(request);
  if (known) return known;
  const found = words.digestsOf(request);
  digests.set(request, found);
  return found;
}

interface Description {
  suffix: '' | '_blocked' | '_held';
  decision: 'allowed' | 'blocked' | 'approval_required' | 'approval_denied';
  [fact: string]: unknown;
}

/** Each outcome as the log has it. */
function describe<Result>(words: EntryWords<never, never, Result>, outcome: CallOutcome<Result>): Description {
  switch (outcome.kind) {
    case 'no_session':
      return blocked('The session is unknown, expired or revoked');
    case 'no_scope':
      return blocked(`The session holds none of the scopes ${CALL_SCOPES.join(', ')}`);
    case 'no_key':
      return { ...blocked(outcome.error.message), code: outcome.error.code };
    case 'mismatched':
      return blocked(MISMATCHED);
    case 'blocked': {
      const [{ policyId, type, reason }] = outcome.refusals;
      return { ...blocked(reason), policy_id: policyId, policy: type, ...explain(outcome.refusals) };
    }
    case 'unaffordable': {
      const { reason, price, remaining } = outcome.denial;
      return {
        ...blocked(reason),
        code: 'insufficient_budget',
        price_usd: toDollars(price),
        remaining_budget: remaining === null ? null : toDollars(remaining),
      };
    }
    case 'unknown':
      return blocked(outcome.upstreams.length === 0 ? words.unknown : words.ambiguous);
    case 'drifted':
      return { ...blocked(DRIFTED), code: 'tool_drift' };
    case 'no_secret':
      return { ...blocked(outcome.refusal.message), code: outcome.refusal.code, ...outcome.refusal.facts };
    case 'unshowable':
      return { ...blocked(UNSHOWABLE), code: outcome.error.code };
    case 'unapprovable':
      return blocked(outcome.reason);
    case 'held':
      return { suffix: '_held', decision: 'approval_required', request_id: outcome.request.requestId };
    case 'denied':
      return { suffix: '_blocked', decision: 'approval_denied', request_id: outcome.requestId };
    case 'answered':
      return allowed(words.resultOf(outcome.result));
    case 'asked':
      return allowed('input_required');
    case 'refused':
      return { ...allowed('refused'), rpc_code: outcome.error.rpcCode };
    case 'unreachable':
      return { ...allowed('unreachable'), reason: outcome.error.reason, sent: outcome.error.sent };
  }
}

function blocked(reason: string): Description {
  return { suffix: '_blocked', decision: 'blocked', reason };
}

function allowed(result: 'ok' | 'tool_error' | 'input_required' | 'refused' | 'unreachable'): Description {
  return { suffix: '', decision: 'allowed', result };
}
