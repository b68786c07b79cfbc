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

/**
 * What became of a call. All but the last four mean that no upstream has heard of it. What each means for the log, the caller, the
 * price and the `Idempotency-Key` is in `outcome-table.ts`.
 */
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
