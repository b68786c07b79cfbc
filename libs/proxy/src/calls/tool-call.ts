import { type Actor, type HaldirError, toDollars, toJsonNumber, toUnixSeconds } from '@haldir/kernel';
import { DetailsTooLong, type HeldRequest } from '@haldir/approvals';
import { type AuditRecord } from '@haldir/audit-log';
import { type Session } from '@haldir/gate';
import { type Claim } from '@haldir/http';
import { answersIn, digestOfArguments } from './call-digest.js';
import { type CallNotes } from './call-decision.js';
import { type ChargeDenial } from '@haldir/vault';
import { explain, type Refusals } from '../policies/policy-refusal.js';
import { type SecretRefusal } from './secret-refusal.js';
import { type ToolTarget } from '../catalogue/tool-lookup.js';
import {
  type CallOptions,
  type Dialogue,
  type InputRequired,
  type UpstreamRpcError,
  type UpstreamToolResult,
  type UpstreamUnreachable,
} from '../mcp-client/index.js';
import { qualifiedName } from '../catalogue/tool-name.js';

/** A tool call as a session asks for it. */
export interface NewCall {
  actor: Actor;
  sessionId: string;
  /** `upstream.tool`, or the tool's own name where only one upstream has it. */
  tool: string;
  arguments: Readonly<Record<string, unknown>>;
  /** Of a request that repeats arguments as headers, because the tool's schema says so: whether it repeats these. */
  repeats?: (headers: Readonly<Record<string, string>>) => boolean;
  /** What the tool may ask, and what it was answered; without it, a tool that asks is refused. */
  dialogue?: Dialogue;
  /** Of a call that has waited: why whoever asks is no longer let make it, or null. */
  recheck?: () => Promise<HaldirError | null>;
  /** The Idempotency-Key it is made under. */
  claim?: Claim | null;
  /** Whether a denial of the same call stands for a while, rather than that a human is asked anew at once. */
  heedsDenials?: boolean;
}

/** What whoever asked hears of a call under way, and how it may be broken off. */
export type CallWatch = Pick<CallOptions, 'signal' | 'onProgress'>;

/** What became of a call. All but the last four mean that no upstream has heard of it. */
export type CallOutcome =
  /** Unknown, expired, revoked and another tenant's session look alike. */
  | { kind: 'no_session' }
  | { kind: 'no_scope' }
  /** The key was revoked, or lost what it takes, while the call waited. */
  | { kind: 'no_key'; error: HaldirError }
  /** The request says one thing in its headers and another in its arguments. */
  | { kind: 'mismatched' }
  /** By every policy that refuses it; the first is the one that is named. */
  | { kind: 'blocked'; refusals: Refusals }
  /** `upstreams` holds those that have the tool when the name is ambiguous; empty when nothing has it. */
  /** A budget has no room for the price of the tool. */
  | { kind: 'unaffordable'; denial: ChargeDenial }
  | { kind: 'unknown_tool'; upstreams: string[] }
  /** The upstream defines the tool otherwise than was accepted. */
  | { kind: 'drifted'; upstream: string; tool: string }
  /** The arguments refer to a secret that the call may not use. */
  | { kind: 'no_secret'; refusal: SecretRefusal }
  /** It needs an approval, and nobody could be shown all of it. */
  | { kind: 'unshowable'; error: DetailsTooLong }
  | { kind: 'held'; request: HeldRequest }
  /** A human has said no to this call just now. */
  | { kind: 'denied'; requestId: string }
  /** The tool's own answer; its `isError` is the tool's verdict. */
  | { kind: 'answered'; result: UpstreamToolResult }
  /** The tool has something to ask before it goes on; only of callers that brought a dialogue. */
  | { kind: 'asked'; question: InputRequired }
  /** The upstream was there and refused the call, for example for arguments it does not accept. */
  | { kind: 'refused'; error: UpstreamRpcError }
  /** No usable answer; `error.sent` tells whether the tool may have run all the same. */
  | { kind: 'unreachable'; error: UpstreamUnreachable };

/** A call that is over but not yet written down. */
export interface PerformedCall {
  actor: Actor;
  outcome: CallOutcome;
  entry: AuditRecord;
  /** Null for a call that came before no policy. */
  notes: CallNotes | null;
}

/** Scopes of a session that let it call tools; either is enough. */
export const CALL_SCOPES = ['execute', 'read'] as const;

/** Rehearsals that are named in an entry. */
const MAX_REHEARSED = 50;

/** What is said of a call that nobody can be asked to approve. */
export const UNSHOWABLE = 'The call needs approval, and its arguments are too long to be shown to whoever decides';

/** @throws what is no DetailsTooLong */
export function orTooLong(error: unknown): DetailsTooLong {
  if (error instanceof DetailsTooLong) return error;
  throw error;
}

/** What is said of a request whose headers contradict it. */
export const MISMATCHED = 'The Mcp-Param headers do not repeat the arguments as the tool asks';

/** What is said of a call of a tool that is held back. */
export const DRIFTED =
  'The upstream has changed what it says of this tool; calls of it are held back until an operator accepts the change';

/** Why the entry of a call is flagged in whose answer a secret was masked that it had not used: perhaps one was guessed. */
export const MASKED = 'secret_masked: the upstream said a secret that this call did not use, and it was masked';

/** Whether a call that failed had no effect for certain, and may have one if it is tried again. */
export function neverLeft(outcome: CallOutcome): boolean {
  return outcome.kind === 'no_session' || (outcome.kind === 'unreachable' && !outcome.error.sent);
}

/**
 * What the log says of a call: the decision, how long it took, and digests in place of arguments
 * and of what was answered to the tool, which may hold secrets.
 */
export function toEntry(
  call: NewCall,
  session: Session | null,
  target: ToolTarget | null,
  outcome: CallOutcome,
  latencyMs: number,
  notes: CallNotes | null = null,
): AuditRecord {
  const { action, ...facts } = describe(outcome);
  return {
    source: 'proxy',
    // An unknown session id may be a mistyped credential, so it is not kept.
    ...(session ? { sessionId: session.id, agentId: session.agentId } : {}),
    tool: target ? qualifiedName(target) : call.tool,
    action,
    ...(notes?.masked ? { flag: MASKED } : {}),
    details: {
      ...facts,
      ...(notes ? noted(notes, target) : {}),
      latency_ms: Math.round(latencyMs * 100) / 100,
      ...digestsOf(call),
    },
  };
}

/** What the log says of a call that left, when nobody learns what became of it. */
export function toUnknownEntry(call: NewCall, session: Session, target: ToolTarget, notes: CallNotes): AuditRecord {
  return {
    ...{ source: 'proxy', sessionId: session.id, agentId: session.agentId, tool: qualifiedName(target) },
    action: 'tool_call',
    details: { decision: 'allowed', outcome: 'unknown', ...noted(notes, target), ...digestsOf(call) },
  };
}

/** Written twice, computed once. */
const digests = new WeakMap<NewCall, Record<string, string>>();

function digestsOf(call: NewCall): Record<string, string> {
  const known = digests.get(call);
  if (known) return known;
  const answers = answersIn(call.dialogue);
  const found = {
    arguments_sha256: digestOfArguments(call.arguments),
    ...(answers === null ? {} : { answers_sha256: digestOfArguments(answers) }),
  };
  digests.set(call, found);
  return found;
}

interface Description {
  action: 'tool_call' | 'tool_call_blocked' | 'tool_call_held';
  decision: 'allowed' | 'blocked' | 'approval_required' | 'approval_denied';
  [fact: string]: unknown;
}

function describe(outcome: CallOutcome): Description {
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
    case 'unknown_tool':
      return blocked(outcome.upstreams.length === 0 ? 'Unknown tool' : 'Several upstreams have the tool');
    case 'drifted':
      return { ...blocked(DRIFTED), code: 'tool_drift' };
    case 'no_secret':
      return { ...blocked(outcome.refusal.message), code: outcome.refusal.code, ...outcome.refusal.facts };
    case 'unshowable':
      return { ...blocked(UNSHOWABLE), code: outcome.error.code };
    case 'held':
      return { action: 'tool_call_held', decision: 'approval_required', request_id: outcome.request.requestId };
    case 'denied':
      return { action: 'tool_call_blocked', decision: 'approval_denied', request_id: outcome.requestId };
    case 'answered':
      return allowed(outcome.result.isError === true ? 'tool_error' : 'ok');
    case 'asked':
      return allowed('input_required');
    case 'refused':
      return { ...allowed('refused'), rpc_code: outcome.error.rpcCode };
    case 'unreachable':
      return { ...allowed('unreachable'), reason: outcome.error.reason, sent: outcome.error.sent };
  }
}

function blocked(reason: string): Description {
  return { action: 'tool_call_blocked', decision: 'blocked', reason };
}

function allowed(result: 'ok' | 'tool_error' | 'input_required' | 'refused' | 'unreachable'): Description {
  return { action: 'tool_call', decision: 'allowed', result };
}

/** What it takes to decide the call again, and what rehearsals made of it. */
function noted(notes: CallNotes, target: ToolTarget | null): Record<string, unknown> {
  const { decidedAt, ratedAt, amount, approvalId, wouldBlock, wouldHold, charge } = notes;
  return {
    ...(target ? { upstream: target.name } : {}),
    ...(target?.destructive ? { destructive: true } : {}),
    ...(target?.goesByOwnName === false ? { own_name: false } : {}),
    ...(amount === null ? {} : { amount: amount === 'unclear' ? amount : toJsonNumber(amount) }),
    decided_at: toUnixSeconds(decidedAt),
    ...(ratedAt === null || ratedAt.getTime() === decidedAt.getTime() ? {} : { rated_at: toUnixSeconds(ratedAt) }),
    ...(charge === null ? {} : { price_usd: toDollars(charge.price), authorization_id: charge.paymentId }),
    ...(approvalId === null ? {} : { approval: approvalId }),
    ...(wouldBlock.length === 0
      ? {}
      : {
          would_block: wouldBlock
            .slice(0, MAX_REHEARSED)
            .map(({ policyId, type, reason }) => ({ policy_id: policyId, type, reason })),
        }),
    ...(wouldHold.length === 0
      ? {}
      : { would_hold: wouldHold.slice(0, MAX_REHEARSED).map(({ id }) => ({ policy_id: id })) }),
  };
}
