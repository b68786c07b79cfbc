import { Injectable } from '@nestjs/common';
import { HaldirError, InvalidInput, type JsonValue, stringifyJson } from '@haldir/kernel';
import { type Session, SessionService } from '@haldir/gate';
import { writeOf, Writes, Answer, type WriteRequest } from '@haldir/http';
import {
  HANDSHAKE_VERSIONS,
  INVALID_PARAMS,
  isObject,
  type JsonObject,
  META,
  METHOD_NOT_FOUND,
  STATELESS_VERSION,
  TASKS_EXTENSION,
} from '@haldir/mcp';
import { type ResourceKind } from '@haldir/proxy';
import { type Asking } from './asking.js';
import { beginMcpSession } from './protocol/mcp-session.js';
import { JsonText, type Result, RpcError, type RpcRequest, SERVER_INFO, StartedTask } from './protocol/messages.js';
import { refused } from './call-outcome.js';
import { TaskRequests } from './tasks/task-requests.js';
import { type ToolCall, toToolCall } from './tool-call.js';
import { CALL_TOOL, calledThrough } from './tools/call-tool.js';
import { type Audience, type OwnCall, type OwnTool } from './tools/own-tool.js';
import { OwnToolbox } from './tools/own-toolbox.js';
import { Subscriptions } from './subscriptions.js';
import { UpstreamResources } from './upstream-resources.js';
import { type ToolPage, UpstreamTools } from './upstream-tools.js';

const OPERATOR_CAPABILITIES = { tools: {} } as const;
const CHANGES = { listChanged: true } as const;
const AGENT_CAPABILITIES = { tools: CHANGES, resources: CHANGES, prompts: CHANGES, completions: {} } as const;
/** The older revisions have other tasks, which were an experiment. */
const STATELESS_CAPABILITIES = { ...AGENT_CAPABILITIES, extensions: { [TASKS_EXTENSION]: {} } } as const;

/** How long a list may be used; calls are decided anew anyway. */
const LIST_TTL_MS = 5_000;
const DISCOVERY_TTL_MS = 60_000;

const AGENT_INSTRUCTIONS =
  'Tools named upstream__tool are governed: each call is decided by policy and logged. A refusal says why. A call that needs approval names a request; poll it with checkApproval and make the same call again once it is approved.';
const SEARCHER_INSTRUCTIONS = `${AGENT_INSTRUCTIONS} They are not listed: find them with searchTools, read one with describeTool and call it with callTool.`;
const OPERATOR_INSTRUCTIONS =
  'This key acts as the operator. Open a session with createSession and connect again with its session_id as X-Session-ID to see and call the tools of upstreams.';

const INSTRUCTIONS: Readonly<Record<Audience, string>> = {
  operator: OPERATOR_INSTRUCTIONS,
  agent: AGENT_INSTRUCTIONS,
  searcher: SEARCHER_INSTRUCTIONS,
};

/** Answers MCP requests, of every revision in the same way. */
@Injectable()
export class McpServer {
  constructor(
    private readonly sessions: SessionService,
    private readonly own: OwnToolbox,
    private readonly resources: UpstreamResources,
    private readonly tasks: TaskRequests,
    private readonly upstream: UpstreamTools,
    private readonly subscriptions: Subscriptions,
    private readonly writes: Writes,
  ) {}

  /**
   * @throws SessionInvalid when the session it names is not live
   * @throws RpcError for what MCP answers as an error
   */
  async answer(asking: Asking, request: RpcRequest): Promise<Result> {
    const { revision } = asking;
    const { method, params } = request;
    if (method === 'tools/call') return stamped(revision, await this.callTool(asking, toToolCall(params)));
    if (this.tasks.isTaskRequest(asking, method))
      return stamped(revision, await this.tasks.answer(asking, method, params));
    if (asking.sessionId !== null && this.resources.isRead(method))
      return stamped(revision, await this.resources.read(asking, asking.sessionId, method, params));
    const session = await this.sessionOf(asking);
    const kind = this.resources.kindOf(method);
    if (session && kind) return this.listResources(asking, session, kind, params);
    if (method === 'tools/list') return this.listTools(asking, session, params);
    if (revision === 'handshake') {
      if (method === 'initialize') return initialize(asking, session, params);
      if (method === 'ping') return {};
    } else if (method === 'subscriptions/listen') {
      return stamped(revision, await this.subscriptions.listen(asking, session, request));
    } else if (method === 'server/discover') {
      return stamped(revision, {
        supportedVersions: [STATELESS_VERSION],
        capabilities: capabilitiesFor(asking),
        instructions: instructionsFor(session),
        ttlMs: DISCOVERY_TTL_MS,
        cacheScope: 'private',
      });
    }
    throw new RpcError(METHOD_NOT_FOUND, 'Method not found', { status: revision === 'stateless' ? 404 : 200 });
  }

  private async sessionOf({ caller, sessionId }: Asking): Promise<Session | null> {
    return sessionId === null ? null : this.sessions.authenticate(caller.actor, sessionId);
  }

  /** The definitions are JSON texts already; only what is around them is written here. */
  private async listTools(asking: Asking, session: Session | null, params: JsonObject): Promise<JsonText> {
    const cursor = cursorIn(params);
    const audience = audienceOf(session);
    if (audience === 'searcher' && cursor !== undefined) throw wrongCursor();
    const own = cursor === undefined ? this.own.definitions(audience, asking.caller) : [];
    const page =
      session && audience === 'agent'
        ? await this.upstream.list(asking, session, cursor ?? null, this.own.names('agent')).catch((error: unknown) => {
            throw error instanceof InvalidInput ? new RpcError(INVALID_PARAMS, `params.${error.message}`) : error;
          })
        : { text: Buffer.alloc(0), nextCursor: null, missing: [], heldBack: [] };
    const around = aroundList(asking.revision, page);
    const rest = stringifyJson(around).slice(1);
    const comma = own.length > 0 && page.text.length > 0 ? ',' : '';
    return new JsonText([`{"tools":[${own.join(',')}${comma}`, page.text, `]${rest === '}' ? '' : ','}${rest}`]);
  }

  private async listResources(
    asking: Asking,
    session: Session,
    kind: ResourceKind,
    params: JsonObject,
  ): Promise<JsonObject> {
    const { member, items, ...page } = await this.resources.list(asking, session, kind, cursorIn(params) ?? null);
    return { [member]: items, ...aroundList(asking.revision, page) };
  }

  private async callTool(asking: Asking, call: ToolCall): Promise<JsonObject | StartedTask> {
    const { sessionId } = asking;
    const { audience, session } = await this.audienceFor(asking, call);
    if (audience === 'searcher' && call.name === CALL_TOOL) return this.callThrough(asking, String(sessionId), call);
    const tool = this.own.find(audience, call.name);
    if (tool) return this.callOwn(asking, tool, call, session);
    // Whether the session is live is the first thing that is decided about the call.
    if (sessionId !== null) return this.upstream.call(asking, sessionId, call);
    throw new RpcError(
      INVALID_PARAMS,
      'Unknown tool. Tools of upstreams are called in a session: open one with createSession and send its session_id as X-Session-ID',
    );
  }

  /** Whom the call is made for; the session is looked up only where it makes a difference to that, and is null where it has ended. */
  private async audienceFor(
    { caller: { actor }, sessionId }: Asking,
    { name }: ToolCall,
  ): Promise<{ audience: Audience; session: Session | null }> {
    if (sessionId === null) return { audience: 'operator', session: null };
    if (!this.own.isForSearchers(name)) return { audience: 'agent', session: null };
    const session = await this.sessions.findLive(actor, sessionId);
    const catalogue = session?.catalogue ?? (await this.sessions.catalogueOf(actor.tenantId, sessionId));
    return { audience: catalogue === 'search' ? 'searcher' : 'agent', session };
  }

  /** The same call as the one of the tool by its name. */
  private async callThrough(asking: Asking, sessionId: string, call: ToolCall): Promise<JsonObject | StartedTask> {
    let wanted: Pick<ToolCall, 'name' | 'args'>;
    try {
      wanted = calledThrough(call.args, this.own.names('searcher'));
    } catch (error) {
      if (!(error instanceof HaldirError)) throw error;
      return refused({ error: error.message, code: error.code, ...error.details });
    }
    return this.upstream.call(asking, sessionId, { ...call, ...wanted, isWrapped: true });
  }

  /** @param known the session, where it was looked up for the call already */
  private async callOwn(asking: Asking, tool: OwnTool, { args }: ToolCall, known: Session | null): Promise<JsonObject> {
    const { caller, sessionId, revision } = asking;
    const content = (): JsonValue => ({ arguments: args as JsonValue, session: sessionId });
    const request = writeOf(asking.request, asking.reply, `MCP ${tool.name}`, content);
    // A retry gets the first answer after the session has ended, too.
    const isRetry = (await this.writes.earlier<Written>(request)) !== null;
    const session = known ?? (isRetry ? null : await this.sessionOf(asking));
    return this.own.call(tool, args, {
      caller,
      sessionId,
      session,
      revision,
      taken: this.own.names(sessionId === null ? 'operator' : 'searcher'),
      isIdempotent: request.idempotencyKey !== null,
      write: (work) => this.write(request, work),
    });
  }

  /** Keeps a refusal's status with its body. */
  private async write<Body>(
    request: WriteRequest,
    work: Parameters<OwnCall['write']>[0],
  ): Promise<Body | Answer<Body>> {
    const { status, body } = await this.writes.run<Written>(request, async (tx) => {
      const result = await work(tx);
      return result instanceof Answer ? { status: result.status, body: result.body } : { status: 200, body: result };
    });
    return status === 200 ? (body as Body) : new Answer(status, body as Body);
  }
}

/** @throws RpcError for what is no text */
function cursorIn({ cursor }: JsonObject): string | undefined {
  if (cursor === undefined || typeof cursor === 'string') return cursor;
  throw wrongCursor();
}

function wrongCursor(): RpcError {
  return new RpcError(INVALID_PARAMS, 'params.cursor: expected the nextCursor of the page before');
}

function audienceOf(session: Session | null): Audience {
  if (!session) return 'operator';
  return session.catalogue === 'search' ? 'searcher' : 'agent';
}

/** What a page of a list says besides its items. */
function aroundList(
  revision: Asking['revision'],
  page: Pick<ToolPage, 'nextCursor' | 'missing'> & Partial<Pick<ToolPage, 'heldBack'>>,
): JsonObject {
  const { nextCursor } = page;
  return stamped(revision, {
    ...(nextCursor === null ? {} : { nextCursor }),
    ...(revision === 'stateless' ? { ttlMs: LIST_TTL_MS, cacheScope: 'private' } : {}),
    ...remarksOn(page),
  });
}

/** What a write answered, as it is kept. */
interface Written {
  status: number;
  body: unknown;
}

function initialize(
  asking: Asking,
  session: Session | null,
  { protocolVersion, capabilities }: JsonObject,
): JsonObject {
  const [newest = ''] = HANDSHAKE_VERSIONS;
  const isKnown = typeof protocolVersion === 'string' && HANDSHAKE_VERSIONS.includes(protocolVersion);
  const agreed = isKnown ? protocolVersion : newest;
  void asking.reply.header('mcp-session-id', beginMcpSession(agreed, capabilities));
  return {
    protocolVersion: agreed,
    capabilities: capabilitiesFor(asking),
    serverInfo: SERVER_INFO,
    instructions: instructionsFor(session),
  };
}

/** Resources and prompts are those of upstreams, which only a session sees. */
function capabilitiesFor({ sessionId, revision }: Asking): object {
  if (sessionId === null) return OPERATOR_CAPABILITIES;
  return revision === 'stateless' ? STATELESS_CAPABILITIES : AGENT_CAPABILITIES;
}

function instructionsFor(session: Session | null): string {
  return INSTRUCTIONS[audienceOf(session)];
}

/** What every result of the stateless revision says of itself, whatever whoever made it says; the older ones know none of it. */
function stamped(revision: Asking['revision'], result: JsonObject | StartedTask): JsonObject {
  if (result instanceof StartedTask) return { ...stamped(revision, result.facts), resultType: 'task' };
  if (revision === 'handshake') {
    const { resultType: _, ...rest } = result;
    return rest;
  }
  // An upstream may have said anything here; the characters of a text would each become a member.
  const meta = isObject(result['_meta']) ? result['_meta'] : {};
  const resultType = result['resultType'] === 'input_required' ? 'input_required' : 'complete';
  return { ...result, resultType, _meta: { ...meta, [META.serverInfo]: SERVER_INFO } };
}

/** What a list says of tools that are not in it. */
function remarksOn({
  missing,
  heldBack = [],
}: Pick<ToolPage, 'missing'> & Partial<Pick<ToolPage, 'heldBack'>>): JsonObject {
  if (missing.length + heldBack.length === 0) return {};
  return {
    _meta: {
      ...(missing.length === 0 ? {} : { 'haldir/missing-upstreams': missing }),
      ...(heldBack.length === 0 ? {} : { 'haldir/held-back-tools': heldBack }),
    },
  };
}
