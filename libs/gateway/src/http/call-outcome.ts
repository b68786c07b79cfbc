import { stringifyJson } from '@haldir/kernel';
import { type HeldRequest, wordsOfNotified } from '@haldir/approvals';
import { Answer } from '@haldir/http';
import { INVALID_PARAMS, type JsonObject } from '@haldir/mcp';
import { type CallOutcome, isRefused, MISMATCHED, type RefusingCircuit } from '@haldir/proxy';
import { toCallAnswer } from '@haldir/proxy/http';
import { type Revision, HEADER_MISMATCH, MISSING_CAPABILITY, RpcError } from './protocol/messages.js';
import { passQuestion } from './protocol/request-state.js';

/** What a tool call is answered, in a form that can be kept under an `Idempotency-Key`. */
export type CallReply =
  { result: JsonObject } | { error: { code: number; message: string; data?: unknown; status?: number } };

type Answerable = Exclude<CallOutcome, { kind: 'no_session' | 'held' }>;

/** The words of the REST API, in MCP's shape. What did not run is an error to the agent, never a result of the tool. */
export function toCallReply(outcome: Answerable, revision: Revision): CallReply {
  if (isRefused(outcome)) {
    const { content, isError } = saidOverRest(outcome);
    return { result: { content, isError } };
  }
  switch (outcome.kind) {
    case 'answered':
      return { result: { ...outcome.result } };
    case 'asked':
      return { result: passQuestion(outcome.question) };
    case 'refused': {
      const { rpcCode: code, rpcMessage: message, data } = outcome.error;
      const status = revision === 'stateless' && code === MISSING_CAPABILITY ? 400 : 200;
      return { error: { code, message, status, ...(data === undefined ? {} : { data }) } };
    }
    case 'unknown': {
      const { error } = saidOverRest(outcome);
      return { error: { code: INVALID_PARAMS, message: String(error), data: { upstreams: outcome.upstreams } } };
    }
    case 'mismatched':
      return { error: { code: HEADER_MISMATCH, message: MISMATCHED, status: 400 } };
    case 'denied': {
      const message =
        'A human has denied this call; it was not made. Do not repeat it: for some minutes it is answered the same.';
      return { result: refused({ status: 'approval_denied', request_id: outcome.requestId, message }) };
    }
    case 'unreachable': {
      const { message, code, sent, circuit } = outcome.error;
      const advice = sent ? 'The tool may have run all the same.' : 'The tool did not run.';
      return { result: { ...refused({ error: `${message}. ${advice}`, code }), ...metaOfCircuit(circuit) } };
    }
  }
}

/** What a call is answered that nobody could be asked about, and that was not decided while it waited. */
export function toPollReply({ requestId, reason, notified }: HeldRequest, page: string): CallReply {
  return {
    result: refused({
      status: 'approval_required',
      request_id: requestId,
      reason,
      notified,
      page,
      message: `A human has to approve this call, on the page that is named here. Poll checkApproval with the request_id; once it is approved, make the same call again${wordsOfNotified(notified)}.`,
    }),
  };
}

/** An answer of Haldir's own in place of the tool's. */
export function refused(facts: JsonObject): JsonObject {
  return { content: [{ type: 'text', text: stringifyJson(facts) }], isError: true };
}

/** For programs: why a call was not sent, and when it may be tried again. */
export function metaOfCircuit(circuit: RefusingCircuit | null): JsonObject {
  if (!circuit) return {};
  const { state } = circuit;
  const retry = circuit.state === 'open' ? { retry_after: Math.ceil(circuit.retryAfterMs / 1000) } : {};
  return { _meta: { 'haldir/circuit': { state, ...retry } } };
}

/** @throws RpcError for a reply that is one */
export function resultOf(reply: CallReply): JsonObject {
  if ('result' in reply) return reply.result;
  const { code, message, ...facts } = reply.error;
  throw new RpcError(code, message, facts);
}

function saidOverRest(outcome: Answerable): JsonObject {
  const answer = toCallAnswer(outcome);
  return answer instanceof Answer ? answer.body : answer;
}
