import { isNumber, type JsonNumber, VERSION } from '@haldir/kernel';
import { headerValue, isObject, type JsonObject, META, STATELESS_VERSION } from '@haldir/mcp';

export const CLIENT_INFO = { name: 'haldir', version: VERSION } as const;

/** How an upstream wants to be spoken to. */
export type ProtocolRevision =
  | ({ readonly kind: 'stateless' } & Declared)
  | ({
      readonly kind: 'handshake';
      readonly version: string;
      /** A credential: never logged. */
      readonly sessionId: string | null;
      /** Names what is kept of it for other processes. */
      readonly epoch?: string;
    } & Declared &
      OverStream)
  | ({ readonly kind: 'plain' } & OverStream);

interface OverStream {
  /** What is spoken over an event stream (HTTP+SSE of 2024-11-05) is spoken over this one, and ends with it. */
  readonly stream?: object;
}

/** What an upstream said it can do, besides tools. */
interface Declared {
  readonly capabilities?: JsonObject;
}

/** The event stream that it is spoken over; null where each answer comes by itself. */
export function streamOf(revision: ProtocolRevision): object | null {
  return revision.kind === 'stateless' ? null : (revision.stream ?? null);
}

/** A tool as its upstream describes it. What Haldir does not read is kept as it came. */
export interface UpstreamTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly annotations?: JsonObject;
  readonly [member: string]: unknown;
}

/** A tool's own answer, as it came. `isError` is the tool's verdict, not a failure of the call. */
export interface UpstreamToolResult {
  readonly content: readonly unknown[];
  readonly isError?: boolean;
  readonly structuredContent?: unknown;
  readonly [member: string]: unknown;
}

/** What a client brings to a call during which the tool may ask it something (2026-07-28). */
export interface Dialogue {
  /** What it can be asked. */
  readonly capabilities: JsonObject;
  /** What it has answered, and the upstream's own state, when the call is made again with them. */
  readonly responses?: JsonObject;
  readonly state?: string;
}

/** An `Elicitation` as whoever has the client gives it, and does not count how long it takes. */
export type ClientElicitation = Omit<Elicitation, 'askedMs'>;

/** How an upstream with a handshake asks the human at the client in the middle of a call (`elicitation/create`, 2025-06-18 and later). */
export interface Elicitation {
  /** As the client declared it; offered in a session that is begun for the call. */
  readonly capability: JsonObject;
  /** When an answer is of no use any more, by `performance.now()`. The first time that it is asked for, with the first question, the time of all begins. */
  endsAt(): number;
  /** For how long the client was asked something so far, questions at once counted once, in ms. */
  readonly askedMs: number;
  /** The client's answer; null for none: it cannot be asked this, has gone, or did not answer in time. */
  ask(params: JsonObject): Promise<JsonObject | null>;
}

/** In place of a result: what the tool has to know before it goes on. */
export interface InputRequired {
  readonly resultType: 'input_required';
  readonly [member: string]: unknown;
}

export function isInputRequired(result: UpstreamToolResult | InputRequired): result is InputRequired {
  return result['resultType'] === 'input_required';
}

/** The parameters of a call by such a client. */
export function withDialogue(params: JsonObject, { capabilities, responses, state }: Dialogue): JsonObject {
  return {
    ...params,
    ...(responses === undefined ? {} : { inputResponses: responses }),
    ...(state === undefined ? {} : { requestState: state }),
    _meta: { ...(isObject(params['_meta']) ? params['_meta'] : {}), [META.clientCapabilities]: capabilities },
  };
}

/** How far a call has come, in the upstream's own words. */
export interface Progress {
  readonly progress: number | JsonNumber;
  readonly total?: number | JsonNumber;
  readonly message?: string;
}

/** What a progress notification for `token` says; null when it is none, or not one of these. */
export function progressOf(message: JsonObject, token: string): Progress | null {
  const { method, params } = message;
  if (method !== 'notifications/progress' || !isObject(params) || params['progressToken'] !== token) return null;
  const { progress, total, message: text } = params;
  if (!isNumber(progress)) return null;
  return {
    progress,
    ...(isNumber(total) ? { total } : {}),
    ...(typeof text === 'string' ? { message: text } : {}),
  };
}

/** The lists that an upstream may say have changed, by the capability they go with. */
const CHANGING_LISTS = ['tools', 'prompts', 'resources'] as const;

/** Whether it says that one of the upstream's lists is another by now. */
export function isListChange({ method }: JsonObject): boolean {
  return CHANGING_LISTS.some((list) => method === `notifications/${list}/list_changed`);
}

/** What to ask the stateless revision to be told of (`subscriptions/listen`): whatever was declared. Null for nothing. */
export function wantedChanges(revision: ProtocolRevision): JsonObject | null {
  const declared = revision.kind === 'plain' ? {} : (revision.capabilities ?? {});
  const lists = CHANGING_LISTS.filter((list) => {
    const capability = declared[list];
    return isObject(capability) && capability['listChanged'] === true;
  });
  return lists.length === 0 ? null : Object.fromEntries(lists.map((list) => [`${list}ListChanged`, true]));
}

const STATELESS_META = {
  [META.protocolVersion]: STATELESS_VERSION,
  [META.clientInfo]: CLIENT_INFO,
  [META.clientCapabilities]: {},
} as const;

/** The params as `revision` wants them on the wire. */
export function paramsFor(revision: ProtocolRevision, params: JsonObject): JsonObject {
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  if (revision.kind === 'stateless') return { ...params, _meta: { ...STATELESS_META, ...meta } };
  // The older revisions have no such dialogue.
  const { inputResponses: _, requestState: __, _meta: ___, ...rest } = params;
  const { [META.clientCapabilities]: ____, ...others } = meta;
  return Object.keys(others).length === 0 ? rest : { ...rest, _meta: others };
}

/** The headers `revision` wants for a message; `name` is what the call is about (a tool), where the method has such a thing. */
export function headersFor(revision: ProtocolRevision, method: string, name?: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
  };
  if (revision.kind === 'stateless') {
    headers['mcp-protocol-version'] = STATELESS_VERSION;
    headers['mcp-method'] = method;
    if (name !== undefined) headers['mcp-name'] = headerValue(name);
  } else if (revision.kind === 'handshake') {
    headers['mcp-protocol-version'] = revision.version;
    if (revision.sessionId !== null) headers['mcp-session-id'] = revision.sessionId;
  }
  return headers;
}
