import { isObject, type JsonObject, META } from '@haldir/mcp';
import { type Dialogue } from '@haldir/proxy';
import { INVALID_PARAMS, RpcError } from './protocol/messages.js';

/** What `tools/call` asks for. */
export interface ToolCall {
  name: string;
  args: JsonObject;
  /** Null when the client does not want to hear of progress. */
  progressToken: string | number | null;
  /** Whether the human at the client can be asked during the call, and has not said no to it. */
  mayAsk: boolean;
  /** What the client can be asked by the tool, and what it has answered; null when that is nothing. */
  dialogue: Dialogue | null;
}

/** The name of the question whether to go on with a call that waits for approval. */
export const APPROVAL_QUESTION = 'haldir/approval';

/** `upstream.tool`: 64 + 1 + 256 characters, and some to spare, as over REST. */
const MAX_NAME = 330;

/** @throws RpcError that names the parameter */
export function toToolCall(params: JsonObject): ToolCall {
  const { name, arguments: args = {}, _meta: meta } = params;
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME)
    throw new RpcError(INVALID_PARAMS, `params.name: expected a tool name of 1 to ${MAX_NAME} characters`);
  if (!isObject(args)) throw new RpcError(INVALID_PARAMS, 'params.arguments: expected an object');
  const token = isObject(meta) ? meta['progressToken'] : undefined;
  return {
    name,
    args,
    progressToken: typeof token === 'string' || typeof token === 'number' ? token : null,
    mayAsk: canAsk(meta) && !hasDeclined(params['inputResponses']),
    dialogue: dialogueIn(params),
  };
}

/** What the client can be asked by whatever it calls, and what it has answered; null when that is nothing. */
export function dialogueIn({ inputResponses, requestState, _meta: meta }: JsonObject): Dialogue | null {
  const capabilities = isObject(meta) ? meta[META.clientCapabilities] : undefined;
  if (!isObject(capabilities) || Object.keys(capabilities).length === 0) return null;
  const { [APPROVAL_QUESTION]: _, ...responses } = isObject(inputResponses) ? inputResponses : {};
  return {
    capabilities,
    ...(Object.keys(responses).length === 0 ? {} : { responses }),
    ...(typeof requestState === 'string' ? { state: requestState } : {}),
  };
}

/** Clients of the stateless revision say with each request whether they show forms; `{}` is short for forms alone. */
function canAsk(meta: unknown): boolean {
  const capabilities = isObject(meta) ? meta[META.clientCapabilities] : undefined;
  const elicitation = isObject(capabilities) ? capabilities['elicitation'] : undefined;
  return isObject(elicitation) && (isObject(elicitation['form']) || Object.keys(elicitation).length === 0);
}

function hasDeclined(responses: unknown): boolean {
  const response = isObject(responses) ? responses[APPROVAL_QUESTION] : undefined;
  return isObject(response) && response['action'] !== 'accept';
}
