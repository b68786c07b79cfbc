import { isObject, type JsonObject } from '@haldir/mcp';
import { INVALID_PARAMS, RpcError } from './protocol/messages.js';

/** What `tools/call` asks for. */
export interface ToolCall {
  name: string;
  args: JsonObject;
  /** Null when the client does not want to hear of progress. */
  progressToken: string | number | null;
}

/** `upstream.tool`: 64 + 1 + 256 characters, and some to spare, as over REST. */
const MAX_NAME = 330;

/** @throws RpcError that names the parameter */
export function toToolCall(params: JsonObject): ToolCall {
  const { name, arguments: args = {}, _meta: meta } = params;
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME)
    throw new RpcError(INVALID_PARAMS, `params.name: expected a tool name of 1 to ${MAX_NAME} characters`);
  if (!isObject(args)) throw new RpcError(INVALID_PARAMS, 'params.arguments: expected an object');
  const token = isObject(meta) ? meta['progressToken'] : undefined;
  return { name, args, progressToken: typeof token === 'string' || typeof token === 'number' ? token : null };
}
