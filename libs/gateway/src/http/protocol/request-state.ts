import { stringifyJson } from '@haldir/kernel';
import { readInnerJson } from '@haldir/http';
import { INVALID_PARAMS, isObject, type JsonObject } from '@haldir/mcp';
import { RpcError } from './messages.js';

/** What a request carries for an upstream that has asked something: the client's answers, and the upstream's own state. */
export interface Carried {
  responses?: JsonObject;
  state?: string;
}

const OURS = 'haldir:';

/** A `requestState` that brings these back when the client has answered something that Haldir asked in between. */
export function wrapState(carried: Carried): string {
  return OURS + Buffer.from(stringifyJson(carried)).toString('base64url');
}

/** An upstream's state as the client gets it: as it is, unless it looks like one of Haldir's own. */
export function passState(state: string): string {
  return state.startsWith(OURS) ? wrapState({ state }) : state;
}

/** What an upstream asks, with a state that is taken back as it is given out. */
export function passQuestion(question: JsonObject): JsonObject {
  const { requestState } = question;
  return { ...question, ...(typeof requestState === 'string' ? { requestState: passState(requestState) } : {}) };
}

/**
 * What a `requestState` that came back stands for. The client could have written it; it holds nothing but what a client may send,
 * and on the same terms.
 *
 * @throws RpcError for one that was changed on the way
 */
export function unwrapState(state: string): Carried {
  if (!state.startsWith(OURS)) return { state };
  try {
    const carried = readInnerJson(Buffer.from(state.slice(OURS.length), 'base64url'));
    if (isObject(carried)) {
      const { responses, state: inner } = carried;
      return {
        ...(isObject(responses) ? { responses } : {}),
        ...(typeof inner === 'string' ? { state: inner } : {}),
      };
    }
  } catch {
    // As below.
  }
  throw new RpcError(INVALID_PARAMS, 'params.requestState: expected the requestState of the result before, unchanged');
}
