import { randomUUID } from 'node:crypto';
import { isObject, type JsonObject, METHOD_NOT_FOUND, STATELESS_VERSION } from '@haldir/mcp';
import { inSession, mayHaveEndedSession, twiceAtMost } from './after-failure.js';
import { Conversation, type Spoken } from './conversation.js';
import { RejectedUnprocessed } from './json-rpc-response.js';
import { ListLimits } from './list-limits.js';
import {
  headersFor,
  type InputRequired,
  paramsFor,
  type UpstreamToolResult,
  wantedChanges,
  withDialogue,
} from './mcp-protocol.js';
import {
  RESOURCE_LISTS,
  type RefusedResources,
  ResourcePages,
  type ResourceKind,
  type ResourceLists,
} from './resource-pages.js';
import {
  type CallOptions,
  type McpClientOptions,
  type Presentation,
  type Terms,
  termsOf,
} from './mcp-client.options.js';
import { MirroredHeaders } from './mirrored-headers.js';
import { SessionProtocols } from './session-protocols.js';
import { type SessionsOf, type UpstreamSession } from './session-place.js';
import { ProgressWatch } from './progress-watch.js';
import { refuseTask, toQuestion, toToolResult } from './tool-result.js';
import { type ToolList, ToolPages } from './tool-pages.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import { type Answered } from './transport.js';
import { knowsTasks, UpstreamTask } from './upstream-task.js';
import { UpstreamTransport } from './upstream-transport.js';

/**
 * Speaks MCP to one upstream; keep one per upstream and use it for many calls at once. How the upstream wants to be spoken to
 * (2026-07-28, a 2025 handshake, or JSON-RPC without either) is found out with the first call, remembered, and found out anew
 * when the upstream stops accepting it, which the caller does not notice. A call whose bytes left is sent a second time only
 * if the upstream said that it did not take it, or the tool is declared to do no more then; after any other refusal in a session,
 * whoever asks next makes sure that the session is still there.
 */
export class McpClient {
  private readonly transport: UpstreamTransport;
  private readonly deadlineMs: number;
  private readonly protocols: SessionProtocols;
  private underWay = 0;
  /** Of nobody else: some upstreams tell everybody how far a call is. */
  private readonly progressToken = randomUUID();
  private progressTokens = 0;
  private presented = 0;
  private closing = false;
  private readonly closed = new AbortController();
  private readonly mirrored = new MirroredHeaders();
  private readonly conversation: Conversation;

  /** @throws EgressRefused when the URL is not allowed */
  constructor(private readonly options: McpClientOptions) {
    this.deadlineMs = options.deadlineMs ?? 30_000;
    this.transport = new UpstreamTransport({
      egress: options.egress,
      target: options.egress.target(options.url),
      poolKey: options.key,
      connections: options.connections ?? 32,
      maxResponseBytes: options.maxResponseBytes ?? 4 * 1_024 * 1_024,
      ...(options.onListChange ? { onListChange: options.onListChange } : {}),
    });
    this.protocols = new SessionProtocols(this.transport, this.deadlineMs, options.sessions ?? null);
    this.conversation = new Conversation(this.transport, this.mirrored, (terms) => this.relearnHeaders(terms));
  }

  /** The protocol in use: a revision, `json-rpc`, or null while it is not known. */
  get protocol(): string | null {
    const revision = this.protocols.shared.current;
    if (!revision) return null;
    if (revision.kind === 'plain') return 'json-rpc';
    return revision.kind === 'stateless' ? STATELESS_VERSION : revision.version;
  }

  /**
   * The upstream's whole catalogue, in its order: tools as clients can read them, and which were not taken.
   *
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  async listTools(options: CallOptions = {}): Promise<ToolList> {
    const terms = termsOf(options, this.deadlineMs);
    const pages = new ToolPages(this.options.limits);
    await this.followPages('tools/list', pages, terms);
    await this.mirrored.learn(pages.tools);
    return pages;
  }

  /**
   * What the upstream has besides tools, in its order; asked for as far as it declared to have such things.
   *
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  async listResources(options: CallOptions = {}): Promise<{ lists: ResourceLists; refused: RefusedResources }> {
    const terms = termsOf(options, this.deadlineMs);
    const revision = await this.protocols.shared.find(terms);
    const declared = revision.kind === 'plain' ? {} : (revision.capabilities ?? {});
    const list = async (kind: ResourceKind): Promise<ResourcePages> => {
      const pages = new ResourcePages(kind);
      if (isObject(declared[RESOURCE_LISTS[kind].capability])) await this.gather(pages, terms);
      return pages;
    };
    const [resources, templates, prompts] = await Promise.all([list('resources'), list('templates'), list('prompts')]);
    const lists = { resources: resources.items, templates: templates.items, prompts: prompts.items };
    return {
      lists: { ...lists, completions: isObject(declared['completions']) },
      refused: { resources: resources.refused, templates: templates.refused, prompts: prompts.refused },
    };
  }

  /**
   * Reads a resource, gets a prompt or completes an argument; the result is answered as it came. These change nothing, so one
   * whose connection broke is asked a second time.
   *
   * @throws UpstreamUnreachable when there is no usable answer
   * @throws UpstreamRpcError when the upstream refused it
   */
  async read(method: string, params: JsonObject, options: CallOptions = {}): Promise<JsonObject | InputRequired> {
    const { dialogue } = options;
    const asIs = dialogue ? withDialogue(params, dialogue) : params;
    const terms = termsOf(options, this.deadlineMs);
    const { result } = await twiceAtMost(() => this.answer(method, asIs, terms));
    if (!isObject(result)) throw new UpstreamUnreachable('protocol');
    if (result['resultType'] === 'input_required') return toQuestion(result, dialogue);
    refuseTask(result);
    return result;
  }

  /**
   * Calls a tool and answers its result as it came, `isError: true` included; or the task that the upstream makes of the call.
   *
   * @throws UpstreamUnreachable when there is no usable answer; its `sent` tells whether the tool may have run
   * @throws UpstreamRpcError when the upstream refused the call
   */
  async callTool(
    name: string,
    args: JsonObject,
    options: CallOptions = {},
  ): Promise<UpstreamToolResult | InputRequired | UpstreamTask> {
    const { onProgress, dialogue, repeatable = false, deadlineMs = this.deadlineMs, longestMs = deadlineMs } = options;
    const own = termsOf(options, this.deadlineMs);
    const call = { name, arguments: args };
    const watch =
      onProgress && new ProgressWatch(call, this.newToken(), onProgress, { terms: own, deadlineMs, longestMs });
    const { params, terms } = watch ?? { params: call, terms: own };
    const asIs = dialogue ? withDialogue(params, dialogue) : params;
    const once = (): Promise<Spoken> => this.answer('tools/call', asIs, terms);
    const { result, revision } = await (repeatable ? twiceAtMost(once) : once());
    const task = knowsTasks(revision) ? UpstreamTask.in(result, (watch ?? terms).deadlineAt) : null;
    return task ?? toToolResult(result, dialogue);
  }

  /**
   * Asks about a task that the upstream has made of a call.
   *
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  askOfTask(method: 'tasks/get' | 'tasks/cancel', taskId: string, options: CallOptions): Promise<Answered> {
    return this.answer(method, { taskId }, termsOf(options, this.deadlineMs));
  }

  /**
   * Listens to what the upstream says of its own accord, for as long as the deadline says, until it ends the stream or this
   * client is closed: `subscriptions/listen` or, after a handshake, the standing stream. False when it declares no changes of its
   * lists, or has no such stream.
   *
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  async listen({ deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal }): Promise<boolean> {
    const cut = AbortSignal.any([signal, this.closed.signal]);
    const revision = await this.protocols.shared.find({ ...termsOf({}, this.deadlineMs), signal: cut });
    const notifications = wantedChanges(revision);
    if (!notifications) return false;
    const [verb, method] =
      revision.kind === 'stateless' ? (['POST', 'subscriptions/listen'] as const) : (['GET', ''] as const);
    const headers = headersFor(revision, method);
    if (verb === 'GET') headers['accept'] = 'text/event-stream';
    const deadlineAt = performance.now() + deadlineMs;
    try {
      const params = paramsFor(revision, { notifications });
      return await this.transport.hear(verb, { revision, method, params, headers, deadlineAt, signal: cut });
    } catch (error) {
      const isRejected = error instanceof RejectedUnprocessed;
      // Perhaps its session is over; whoever listens again begins another then.
      if (!inSession(revision)) {
        if (isRejected) this.protocols.shared.forget(revision);
      } else if (isRejected || mayHaveEndedSession(error)) this.protocols.shared.doubt(revision);
      throw isRejected ? error.outcome() : error;
    }
  }

  /**
   * What is sent with every request from now on, and what takes secrets out of everything the upstream says. Calls share a
   * client, and what one of them found out last stays: an older `order` changes nothing.
   */
  present({ headers, masker, order }: Presentation): void {
    if (order < this.presented) return;
    this.presented = order;
    this.transport.headers = headers;
    this.transport.masker = masker;
  }

  /** The session that is nobody's in particular; null while there is none. */
  get session(): UpstreamSession | null {
    const { current } = this.protocols.shared;
    return current && inSession(current) ? current : null;
  }

  /**
   * Whose sessions the upstream begins.
   *
   * @throws UpstreamUnreachable
   */
  whoseSessions(options: CallOptions = {}): Promise<SessionsOf> {
    return this.protocols.whose(termsOf(options, this.deadlineMs));
  }

  /**
   * Ends a session, whatever the upstream answers.
   *
   * @throws UpstreamUnreachable when it does not answer
   */
  async endSession(session: UpstreamSession): Promise<void> {
    await this.transport.delete(session);
  }

  /** Goes on with a session that somebody has begun. */
  resumeSession(session: UpstreamSession): void {
    this.protocols.shared.adopt(session);
  }

  /** Closes the connections, once calls under way have ended. What began a session ends it: others may go on with it. */
  close(): void {
    this.closing = true;
    this.closed.abort();
    if (this.underWay > 0) return;
    const { current } = this.protocols.shared;
    if (current) this.protocols.shared.forget(current);
    this.transport.close();
    this.options.egress.closePools(this.options.key);
  }

  private async gather(pages: ResourcePages, terms: Terms): Promise<void> {
    try {
      await this.followPages(RESOURCE_LISTS[pages.kind].method, pages, terms);
    } catch (error) {
      // Some that have resources know nothing of templates.
      if (!(error instanceof UpstreamRpcError) || error.rpcCode !== METHOD_NOT_FOUND) throw error;
    }
  }

  /** Asks for the pages of a list, one after the other. */
  private async followPages(method: string, pages: ToolPages | ResourcePages, terms: Terms): Promise<void> {
    const room = new ListLimits();
    let cursor: string | null = null;
    do {
      const params: JsonObject = cursor === null ? {} : { cursor };
      const page = await room.take((maxBytes) =>
        twiceAtMost(() => this.answer(method, params, { ...terms, maxBytes })),
      );
      cursor = await pages.add(page, terms.deadlineAt);
    } while (cursor !== null);
  }

  private async answer(method: string, params: JsonObject, terms: Terms): Promise<Spoken> {
    this.underWay++;
    try {
      return await this.conversation.answer(() => this.protocols.for(terms.session, terms), method, params, terms);
    } finally {
      this.underWay--;
      if (this.closing) this.close();
    }
  }

  private newToken(): string {
    return `${this.progressToken}-${++this.progressTokens}`;
  }

  /** A header mismatch means that the tool's declarations are not the ones remembered. */
  private async relearnHeaders({ deadlineAt, signal }: Terms): Promise<void> {
    await this.listTools({ deadlineMs: Math.max(1, deadlineAt - performance.now()), ...(signal ? { signal } : {}) });
  }
}
