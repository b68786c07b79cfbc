import { type HeldRequest, wordsOfNotified } from '@haldir/approvals';
import { INVALID_PARAMS, type JsonObject } from '@haldir/mcp';
import { isRefused, type NewRead, type ReadOutcome, refusalOf, type RefusedOutcome } from '@haldir/proxy';
import { type CallReply, metaOfCircuit } from './call-outcome.js';
import { type Revision, MISSING_CAPABILITY, SERVER_ERROR } from './protocol/messages.js';
import { passQuestion } from './protocol/request-state.js';

/** Up to 2025-11-25, of a resource that is not there. */
const RESOURCE_NOT_FOUND = -32002;
/** What was read may be used again for so long at most: a later policy counts, and the log hears of every read. */
const MAX_TTL_MS = 5_000;

/** The upstream's answer, as it came but for what is said of keeping it; else an error: only tools have results that say they failed. */
export function toReadReply(
  outcome: Exclude<ReadOutcome, { kind: 'no_session' | 'held' }>,
  revision: Revision,
  method: NewRead['method'],
  params: JsonObject,
): CallReply {
  if (isRefused(outcome)) return toRefusedReply(outcome);
  switch (outcome.kind) {
    case 'answered':
      return { result: toResult(outcome.result, revision, method) };
    case 'unknown': {
      const { upstreams } = outcome;
      const about = method === 'resources/read' ? { uri: params['uri'] } : {};
      if (upstreams.length > 0) {
        const how =
          method === 'prompts/get'
            ? 'ask for it as upstream.name'
            : 'ask for it as haldir://upstream/<upstream>/<address>, or as upstream.name';
        return failed(INVALID_PARAMS, `Several upstreams have it; ${how}`, { ...about, upstreams });
      }
      if (method === 'prompts/get') return failed(INVALID_PARAMS, 'Unknown prompt', { upstreams });
      const isOld = revision === 'handshake' && method === 'resources/read';
      return failed(isOld ? RESOURCE_NOT_FOUND : INVALID_PARAMS, 'Resource not found', about);
    }
    case 'refused': {
      const { rpcCode, rpcMessage, data } = outcome.error;
      const status = revision === 'stateless' && rpcCode === MISSING_CAPABILITY ? 400 : 200;
      return { error: { code: rpcCode, message: rpcMessage, data, status } };
    }
    case 'unreachable': {
      const { message, code, circuit } = outcome.error;
      return failed(SERVER_ERROR, message, { code, ...metaOfCircuit(circuit) });
    }
    case 'denied': {
      const data = { status: 'approval_denied', request_id: outcome.requestId };
      return failed(
        SERVER_ERROR,
        'A human has denied this. Do not repeat it: for some minutes it is answered the same.',
        data,
      );
    }
    case 'asked':
    case 'mismatched':
      throw new Error(`${outcome.kind} is said of tools alone`);
  }
}

function toRefusedReply(outcome: RefusedOutcome): CallReply {
  const { message, facts, readFacts = facts } = refusalOf(outcome);
  return failed(SERVER_ERROR, message, { blocked_by: 'haldir', ...readFacts });
}

function failed(code: number, message: string, data: JsonObject): CallReply {
  return { error: { code, message, data, status: 200 } };
}

function toResult(result: JsonObject, revision: Revision, method: NewRead['method']): JsonObject {
  if (result['resultType'] === 'input_required') return passQuestion(timeless(result));
  return revision === 'stateless' && method === 'resources/read' ? cacheable(result) : timeless(result);
}

/** What a read is answered that nobody could be asked about, and that was not decided while it waited. */
export function toHeldError({ requestId, reason, notified }: HeldRequest, page: string): CallReply {
  const how = 'Poll checkApproval with the request_id; once it is approved, ask for the same again';
  return {
    error: {
      code: SERVER_ERROR,
      message: `A human has to approve this, at ${page}. ${how}${wordsOfNotified(notified)}.`,
      data: { status: 'approval_required', request_id: requestId, reason, notified, page },
    },
  };
}

/** For this session alone, whatever the upstream says. */
function cacheable(result: JsonObject): JsonObject {
  const { ttlMs } = result;
  const ttl = typeof ttlMs === 'number' && ttlMs > 0 ? Math.trunc(Math.min(ttlMs, MAX_TTL_MS)) : 0;
  return { ...result, ttlMs: ttl, cacheScope: 'private' };
}

function timeless({ ttlMs: _, cacheScope: __, ...rest }: JsonObject): JsonObject {
  return rest;
}
