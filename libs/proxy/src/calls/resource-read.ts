import { type Actor, type HaldirError } from '@haldir/kernel';
import { type HeldRequest } from '@haldir/approvals';
import { type AuditRecord } from '@haldir/audit-log';
import { type Session } from '@haldir/gate';
import { type JsonObject } from '@haldir/mcp';
import { answersIn, digestOfArguments } from './call-digest.js';
import { type ResourceTarget } from '../catalogue/resource-lookup.js';
import { CALL_SCOPES, type CallWatch, MASKED } from './tool-call.js';
import { explain, type Refusals } from '../policies/policy-refusal.js';
import { type Dialogue, type UpstreamRpcError, type UpstreamUnreachable } from '../mcp-client/index.js';

/** A session wants to read a resource, get a prompt, or have an argument of either completed. */
export interface NewRead {
  actor: Actor;
  sessionId: string;
  method: 'resources/read' | 'prompts/get' | 'completion/complete';
  /** What it is about. */
  subject: { kind: 'resource' | 'prompt'; name: string };
  /** Of a read that has waited: why whoever asks is no longer let do it, or null. */
  recheck?: () => Promise<HaldirError | null>;
  /** Besides the subject. */
  arguments: JsonObject;
  /** Of the request to the upstream, with the subject as that knows it. */
  params: (subject: string) => JsonObject;
  /** What may be asked before it is answered, and what was answered. */
  dialogue?: Dialogue;
}

/** How it may be broken off. */
export type ReadWatch = Pick<CallWatch, 'signal'>;

/** What became of it. All but the last three mean that no upstream has heard of it. */
export type ReadOutcome =
  | { kind: 'no_session' }
  | { kind: 'no_scope' }
  | { kind: 'no_key'; error: HaldirError }
  | { kind: 'blocked'; refusals: Refusals }
  /** `upstreams` holds those that have it when it is ambiguous; empty when nothing has it. */
  | { kind: 'unknown'; upstreams: string[] }
  | { kind: 'held'; request: HeldRequest }
  /** A human has said no to it just now. */
  | { kind: 'denied'; requestId: string }
  /** A rule wants an approval, and nobody is asked to approve such a thing. */
  | { kind: 'unapprovable'; reason: string }
  /** Also when it asks for input first. */
  | { kind: 'answered'; result: JsonObject }
  | { kind: 'refused'; error: UpstreamRpcError }
  | { kind: 'unreachable'; error: UpstreamUnreachable };

const ACTIONS = {
  'resources/read': 'resource_read',
  'prompts/get': 'prompt_get',
  'completion/complete': 'completion',
} as const;

/** Longer names are cut in the log; their digest is of the whole. */
const MAX_NAME = 330;

/** What the log says of a read. */
export function toReadEntry(
  read: NewRead,
  session: Session | null,
  target: ResourceTarget | null,
  outcome: ReadOutcome,
  latencyMs: number,
  masked: boolean,
): AuditRecord {
  const { suffix, ...facts } = describe(outcome);
  return {
    source: 'proxy',
    ...(session ? { sessionId: session.id, agentId: session.agentId } : {}),
    tool: nameIn(read, target),
    action: `${ACTIONS[read.method]}${suffix}`,
    ...(masked ? { flag: MASKED } : {}),
    details: { ...facts, latency_ms: Math.round(latencyMs * 100) / 100, ...digestsOf(read) },
  };
}

/** What the log says of a read that left, when nobody learns what became of it. */
export function toUnknownReadEntry(read: NewRead, session: Session, target: ResourceTarget): AuditRecord {
  return {
    ...{ source: 'proxy', sessionId: session.id, agentId: session.agentId, tool: nameIn(read, target) },
    action: ACTIONS[read.method],
    details: { decision: 'allowed', outcome: 'unknown', ...digestsOf(read) },
  };
}

function nameIn({ subject }: NewRead, target: ResourceTarget | null): string {
  const name = target ? `${target.upstream.name}.${target.id}` : subject.name;
  return [...name.slice(0, MAX_NAME)].filter((char) => !/^[\ud800-\udfff]$/.test(char)).join('');
}

function digestsOf(read: NewRead): Record<string, string> {
  const answers = answersIn(read.dialogue);
  return {
    arguments_sha256: digestOfArguments({ ...read.arguments, subject: read.subject.name }),
    ...(answers === null ? {} : { answers_sha256: digestOfArguments(answers) }),
  };
}

function describe(outcome: ReadOutcome): { suffix: string; [fact: string]: unknown } {
  const blocked = (reason: string): { suffix: string; decision: string; reason: string } => ({
    ...{ suffix: '_blocked', decision: 'blocked', reason },
  });
  const allowed = { suffix: '', decision: 'allowed' };
  switch (outcome.kind) {
    case 'no_session':
      return blocked('The session is unknown, expired or revoked');
    case 'no_scope':
      return blocked(`The session holds none of the scopes ${CALL_SCOPES.join(', ')}`);
    case 'no_key':
      return { ...blocked(outcome.error.message), code: outcome.error.code };
    case 'blocked': {
      const [{ policyId, type, reason }] = outcome.refusals;
      return { ...blocked(reason), policy_id: policyId, policy: type, ...explain(outcome.refusals) };
    }
    case 'unknown':
      return blocked(outcome.upstreams.length === 0 ? 'Unknown' : 'Several upstreams have it');
    case 'unapprovable':
      return blocked(outcome.reason);
    case 'held':
      return { suffix: '_held', decision: 'approval_required', request_id: outcome.request.requestId };
    case 'denied':
      return { suffix: '_blocked', decision: 'approval_denied', request_id: outcome.requestId };
    case 'answered':
      return { ...allowed, result: outcome.result['resultType'] === 'input_required' ? 'input_required' : 'ok' };
    case 'refused':
      return { ...allowed, result: 'refused', rpc_code: outcome.error.rpcCode };
    case 'unreachable':
      return { ...allowed, result: 'unreachable', reason: outcome.error.reason, sent: outcome.error.sent };
  }
}
