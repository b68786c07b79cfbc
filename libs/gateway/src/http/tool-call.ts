import { type Session } from '@haldir/gate';
import { type Caller, grantsKeyScope } from '@haldir/http';
import { INVALID_PARAMS, isObject, type JsonObject, META, type RequestId, requestIdIn } from '@haldir/mcp';
import { CALL_SCOPES, type Dialogue } from '@haldir/proxy';
import { APPROVAL_QUESTION } from './prompting.js';
import { RpcError } from './protocol/messages.js';
import { unwrapState } from './protocol/request-state.js';

/** What `tools/call` asks for. */
export interface ToolCall {
  name: string;
  args: JsonObject;
  /** Null when the client does not want to hear of progress. */
  progressToken: RequestId | null;
  /** Whether it is asked for in the arguments of `callTool`: a client that does not know the tool repeats no arguments as headers. */
  isWrapped: boolean;
  /** The request as a whole. */
  params: JsonObject;
  /** What the client can be asked by the tool, and what it has answered; null when that is nothing. */
  dialogue: Dialogue | null;
}

/** What the key must hold, as for `POST /v1/proxy/call`. */
export const CALL_KEY_SCOPE = 'proxy:call';

/** Whether the key and the session let tools be called, and resources be read. */
export function mayCall({ scopes }: Caller, session: Session): boolean {
  return grantsKeyScope(scopes, CALL_KEY_SCOPE) && CALL_SCOPES.some((scope) => session.grants(scope));
}

/** What Haldir passes on between upstream and client. Of anything else a client can do, an upstream would make answers that Haldir cannot. */
const RELAYED: readonly string[] = ['elicitation', 'sampling', 'roots'];

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
    isWrapped: false,
    progressToken: requestIdIn(token),
    params,
    dialogue: dialogueIn(params),
  };
}

/**
 * What the client can be asked by whatever it calls, and what it has answered; null when that is nothing.
 *
 * @throws RpcError for a state that was changed on its way
 */
export function dialogueIn({ inputResponses, requestState, _meta: meta }: JsonObject): Dialogue | null {
  const declared = isObject(meta) ? meta[META.clientCapabilities] : undefined;
  if (!isObject(declared)) return null;
  const capabilities = Object.fromEntries(Object.entries(declared).filter(([name]) => RELAYED.includes(name)));
  if (Object.keys(capabilities).length === 0) return null;
  const { [APPROVAL_QUESTION]: _, ...responses } = isObject(inputResponses) ? inputResponses : {};
  const carried = typeof requestState === 'string' ? unwrapState(requestState) : {};
  const all = { ...carried.responses, ...responses };
  return {
    capabilities,
    ...(Object.keys(all).length === 0 ? {} : { responses: all }),
    ...(carried.state === undefined ? {} : { state: carried.state }),
  };
}
