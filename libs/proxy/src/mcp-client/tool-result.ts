import { findUnstorable, stringifyJson } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import { type Dialogue, type InputRequired, isInputRequired, type UpstreamToolResult } from './mcp-protocol.js';
import { isOwnName } from './own-members.js';

/**
 * Its names and its state come back with the next call, so they have to be what a request may hold; and a question of Haldir's
 * own is asked by Haldir.
 */
export function toQuestion(result: JsonObject, dialogue: Dialogue | undefined): InputRequired {
  if (!dialogue)
    throw new UpstreamRpcError(-32021, 'The tool asks for input during the call, which this client cannot give', 200);
  const { inputRequests, requestState = null } = result;
  const names = isObject(inputRequests) ? Object.keys(inputRequests) : [];
  const isUsable = requestState === null || typeof requestState === 'string';
  if (
    !isUsable ||
    names.includes('__proto__') ||
    names.some(isOwnName) ||
    findUnstorable([requestState, ...names]) !== null
  )
    throw new UpstreamUnreachable('protocol');
  return { ...result, resultType: 'input_required' };
}

/** A task of an upstream that has not declared them, or in answer to something else than a call, is no answer. @throws UpstreamUnreachable */
export function refuseTask({ resultType }: JsonObject): void {
  if (resultType === 'task') throw new UpstreamUnreachable('protocol');
}

/** The result of a task, which may ask nothing any more. @throws UpstreamUnreachable, UpstreamRpcError */
export function resultIn(result: unknown): UpstreamToolResult {
  const said = toToolResult(result, undefined);
  if (isInputRequired(said)) throw new UpstreamUnreachable('protocol');
  return said;
}

/** Servers without MCP answer `tools/call` with whatever they have; it is handed on as one text block. */
export function toToolResult(result: unknown, dialogue: Dialogue | undefined): UpstreamToolResult | InputRequired {
  if (isObject(result)) {
    if (result['resultType'] === 'input_required') return toQuestion(result, dialogue);
    if (Array.isArray(result['content'])) return { ...result, content: result['content'] };
    refuseTask(result);
  }
  if (result === undefined) throw new UpstreamUnreachable('protocol');
  const text = typeof result === 'string' ? result : stringifyJson(result);
  return { ...(isObject(result) ? result : {}), content: [{ type: 'text', text }] };
}
