import { Injectable } from '@nestjs/common';
import { InvalidInput } from '@haldir/kernel';
import { type Session, SessionInvalid } from '@haldir/gate';
import { type Caller, Callers, Cursors, grantsKeyScope, MissingKeyScope } from '@haldir/http';
import { INVALID_PARAMS, isObject, type JsonObject } from '@haldir/mcp';
import {
  type MissingUpstream,
  type NewRead,
  RESOURCE_LISTS,
  ResourceCatalogue,
  type ResourceKind,
  ResourceReadService,
  type ShownResource,
  type VisibleResources,
} from '@haldir/proxy';
import { type Asking } from './asking.js';
import { resultOf } from './call-outcome.js';
import { Elicitations } from './elicitations.js';
import { HeldRequests } from './held-requests.js';
import { RpcError, SERVER_ERROR } from './protocol/messages.js';
import { toHeldError, toReadReply } from './read-outcome.js';
import { CALL_KEY_SCOPE, dialogueIn, mayCall } from './tool-call.js';

const NOTHING: VisibleResources = { prompts: [], resources: [], templates: [], missing: [] };
const PAGE = 1_000;
const MAX_URI = 4_400;
const MAX_NAME = 330;

const KINDS: ReadonlyMap<string, ResourceKind> = new Map(
  (Object.keys(RESOURCE_LISTS) as ResourceKind[]).map((kind) => [RESOURCE_LISTS[kind].method, kind]),
);
const READS: readonly string[] = ['resources/read', 'prompts/get', 'completion/complete'];

/** A page of a session's resources, templates or prompts. */
export interface ResourcePage {
  member: string;
  items: JsonObject[];
  nextCursor: string | null;
  missing: MissingUpstream[];
}

/** The resources and prompts of upstreams, as a session may read them. */
@Injectable()
export class UpstreamResources {
  constructor(
    private readonly resources: ResourceCatalogue,
    private readonly reads: ResourceReadService,
    private readonly held: HeldRequests,
    private readonly elicitations: Elicitations,
    private readonly callers: Callers,
    private readonly cursors: Cursors,
  ) {}

  /** What a method lists; null when it lists none of these. */
  kindOf(method: string): ResourceKind | null {
    return KINDS.get(method) ?? null;
  }

  isRead(method: string): method is NewRead['method'] {
    return READS.includes(method);
  }

  /**
   * Up to 1,000 of a kind that the key, the session and the tenant's policies let the session read, in a stable order.
   *
   * @throws RpcError for a cursor that was not given out for this list
   */
  async list({ caller }: Asking, session: Session, kind: ResourceKind, cursor: string | null): Promise<ResourcePage> {
    const { tenantId } = caller.actor;
    const { member } = RESOURCE_LISTS[kind];
    const identity = { tenantId, list: `mcp_${kind}`, filters: {} };
    const [upstream, name] = cursor === null ? ['', ''] : this.decoded(identity, cursor);
    const { [kind]: items, missing } = await this.readable(caller, session);
    const isBehind = (item: ShownResource): boolean =>
      cursor === null || item.upstream > upstream || (item.upstream === upstream && item.name > name);
    const page = this.cursors.page(identity, items.filter(isBehind).slice(0, PAGE + 1), PAGE, (item) => [
      ...[item.upstream, item.name],
    ]);
    return { member, items: page.items.map(({ shown }) => shown), nextCursor: page.nextCursor, missing };
  }

  /** All that the key, the session and the tenant's policies let the session read: the same object while that is the same. */
  async readable(caller: Caller, session: Session): Promise<VisibleResources> {
    return mayCall(caller, session) ? this.resources.visible(caller.actor, session.agentId) : NOTHING;
  }

  /**
   * Reads a resource, gets a prompt or completes an argument of either, as policies let the session.
   *
   * @throws SessionInvalid; RpcError for everything but the upstream's own answer
   */
  async read(asking: Asking, sessionId: string, method: NewRead['method'], params: JsonObject): Promise<JsonObject> {
    const { caller, revision, exchange, cancelled } = asking;
    if (!grantsKeyScope(caller.scopes, CALL_KEY_SCOPE)) {
      const { message, code, details } = new MissingKeyScope(CALL_KEY_SCOPE);
      throw new RpcError(SERVER_ERROR, message, { data: { code, ...details } });
    }
    exchange?.expectWaiting();
    const dialogue = revision === 'stateless' && method !== 'completion/complete' ? dialogueIn(params) : null;
    const read: NewRead = {
      actor: caller.actor,
      sessionId,
      method,
      ...requestOf(method, params),
      ...(dialogue ? { dialogue } : {}),
    };
    const outcome = await this.elicitations.during(asking, async (elicitation) => {
      const watch = { ...(cancelled ? { signal: cancelled } : {}), ...(elicitation ? { elicitation } : {}) };
      const first = await this.reads.read(read, watch);
      if (first.kind !== 'held') return first;
      const pending = await this.held.wait(asking, params, first.request);
      if (pending) return { ...first, request: pending };
      return this.reads.read({ ...read, recheck: () => this.callers.refusal(asking.request, CALL_KEY_SCOPE) }, watch);
    });
    if (outcome.kind === 'no_session') throw new SessionInvalid();
    if (outcome.kind !== 'held') return resultOf(toReadReply(outcome, revision, method, params));
    const { request } = outcome;
    return resultOf(
      this.held.prompt(asking, params, request, dialogue) ?? toHeldError(request, this.held.pageOf(asking, request)),
    );
  }

  private decoded(identity: Parameters<Cursors['decode']>[0], cursor: string): [string, string] {
    try {
      const [upstream = '', name = ''] = this.cursors.decode(identity, cursor).map(String);
      return [upstream, name];
    } catch (error) {
      throw error instanceof InvalidInput ? new RpcError(INVALID_PARAMS, `params.${error.message}`) : error;
    }
  }
}

type Request = Pick<NewRead, 'subject' | 'arguments' | 'params'>;

/** @throws RpcError that names the parameter */
function requestOf(method: NewRead['method'], params: JsonObject): Request {
  if (method === 'resources/read') {
    const name = textIn(params['uri'], 'params.uri', MAX_URI);
    return { subject: { kind: 'resource', name }, arguments: {}, params: (uri) => ({ uri }) };
  }
  if (method === 'prompts/get') {
    const { arguments: args = {} } = params;
    if (!isObject(args)) throw new RpcError(INVALID_PARAMS, 'params.arguments: expected an object');
    const subject = { kind: 'prompt', name: textIn(params['name'], 'params.name', MAX_NAME) } as const;
    return { subject, arguments: args, params: (name) => ({ name, arguments: args }) };
  }
  const { ref, argument, context } = params;
  if (!isObject(argument)) throw new RpcError(INVALID_PARAMS, 'params.argument: expected an object');
  const isPrompt = isObject(ref) && ref['type'] === 'ref/prompt';
  if (!isObject(ref) || (!isPrompt && ref['type'] !== 'ref/resource'))
    throw new RpcError(INVALID_PARAMS, 'params.ref.type: expected ref/prompt or ref/resource');
  const key = isPrompt ? 'name' : 'uri';
  const name = textIn(ref[key], `params.ref.${key}`, isPrompt ? MAX_NAME : MAX_URI);
  const rest = { argument, ...(isObject(context) ? { context } : {}) };
  return {
    subject: { kind: isPrompt ? 'prompt' : 'resource', name },
    arguments: rest,
    params: (own) => ({ ref: { ...ref, [key]: own }, ...rest }),
  };
}

function textIn(value: unknown, path: string, max: number): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > max || /\p{Cc}/u.test(value))
    throw new RpcError(INVALID_PARAMS, `${path}: expected 1 to ${max} characters, none of them a control character`);
  return value;
}
