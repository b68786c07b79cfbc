import { type Actor, type HaldirError } from '@haldir/kernel';
import { type DetailsTooLong, type HeldRequest } from '@haldir/approvals';
import { type AuditRecord } from '@haldir/audit-log';
import { type JsonObject } from '@haldir/mcp';
import { type ChargeDenial } from '@haldir/vault';
import {
  type InputRequired,
  type UpstreamRpcError,
  type UpstreamToolResult,
  type UpstreamUnreachable,
} from '../mcp-client/index.js';
import { type Refusals } from '../policies/policy-refusal.js';
import { type CallNotes } from './call-decision.js';
import { type SecretRefusal } from './secret-refusal.js';

/** What became of a call. All but the last four mean that no upstream has heard of it. */
export type CallOutcome<Result = UpstreamToolResult> =
  /** Unknown, expired, revoked and another tenant's session look alike. */
  | { kind: 'no_session' }
  | { kind: 'no_scope' }
  /** The key was revoked, or lost what it takes, while the call waited. */
  | { kind: 'no_key'; error: HaldirError }
  /** The request says one thing in its headers and another in its arguments. */
  | { kind: 'mismatched' }
  /** By every policy that refuses it; the first is the one that is named. */
  | { kind: 'blocked'; refusals: Refusals }
  /** A budget has no room for the price of the tool. */
  | { kind: 'unaffordable'; denial: ChargeDenial }
  /** `upstreams` holds those that have it when the name is ambiguous; empty when nothing has it. */
  | { kind: 'unknown'; upstreams: string[] }
  /** The upstream defines the tool otherwise than was accepted. */
  | { kind: 'drifted'; upstream: string; tool: string }
  /** The arguments refer to a secret that the call may not use. */
  | { kind: 'no_secret'; refusal: SecretRefusal }
  /** It needs an approval, and nobody could be shown all of it. */
  | { kind: 'unshowable'; error: DetailsTooLong }
  /** A rule wants an approval, and nobody is asked to approve such a thing. */
  | { kind: 'unapprovable'; reason: string }
  | { kind: 'held'; request: HeldRequest }
  /** A human has said no to this call just now. */
  | { kind: 'denied'; requestId: string }
  /** The upstream's own answer; of a tool, `isError` is the tool's verdict. */
  | { kind: 'answered'; result: Result }
  /** The tool has something to ask before it goes on; only of callers that brought a dialogue. */
  | { kind: 'asked'; question: InputRequired }
  /** The upstream was there and refused the call, for example for arguments it does not accept. */
  | { kind: 'refused'; error: UpstreamRpcError }
  /** No usable answer; `error.sent` tells whether the tool may have run all the same. */
  | { kind: 'unreachable'; error: UpstreamUnreachable };

/** What became of a read; also `answered` when it asks for input first. */
export type ReadOutcome = CallOutcome<JsonObject>;

/** A call that is over but not yet written down. */
export interface PerformedCall<Result = UpstreamToolResult> {
  actor: Actor;
  outcome: CallOutcome<Result>;
  entry: AuditRecord;
  /** Null for a call that came before no policy. */
  notes: CallNotes | null;
}

/** Scopes of a session that let it call tools; either is enough. */
export const CALL_SCOPES = ['execute', 'read'] as const;

/** What is said of a call that nobody can be asked to approve. */
export const UNSHOWABLE = 'The call needs approval, and its arguments are too long to be shown to whoever decides';

/** What is said of a request whose headers contradict it. */
export const MISMATCHED = 'The Mcp-Param headers do not repeat the arguments as the tool asks';

/** What is said of a call of a tool that is held back. */
export const DRIFTED =
  'The upstream has changed what it says of this tool; calls of it are held back until an operator accepts the change';

/** Whether a call that failed had no effect for certain, and may have one if it is tried again. */
export function neverLeft(outcome: CallOutcome<unknown>): boolean {
  return outcome.kind === 'no_session' || (outcome.kind === 'unreachable' && !outcome.error.sent);
}

/** As metrics count it. */
export function decisionOf({ kind }: CallOutcome<unknown>): 'allowed' | 'denied' | 'held' {
  if (kind === 'held') return 'held';
  return ['answered', 'asked', 'refused', 'unreachable'].includes(kind) ? 'allowed' : 'denied';
}
