import { type Egress } from '@haldir/egress';
import { findUnstorable, stringifyJson, Turns } from '@haldir/kernel';
import {
  isObject,
  type JsonObject,
  type MirroredArgument,
  mirroredArguments,
  mirrorHeaders,
  STATELESS_VERSION,
  subjectOf,
} from '@haldir/mcp';
import { RejectedUnprocessed } from './json-rpc-response.js';
import { type Answered, type Asked, JsonRpcTransport, type Mask } from './json-rpc-transport.js';
import { NegotiatedProtocol } from './negotiated-protocol.js';
import { ListLimits } from './list-limits.js';
import {
  type Dialogue,
  headersFor,
  type InputRequired,
  paramsFor,
  type Progress,
  progressOf,
  type ProtocolRevision,
  type UpstreamTool,
  type UpstreamToolResult,
  wantedChanges,
  withDialogue,
} from './mcp-protocol.js';
import { RESOURCE_LISTS, ResourcePages, type ResourceKind, type ResourceLists } from './resource-pages.js';
import { isOwnName } from './own-members.js';
import { type ToolPageLimits, ToolPages } from './tool-pages.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';

export interface McpClientOptions {
  readonly egress: Egress;
  readonly url: string;
  /** Unique per upstream (tenant and name): upstreams never wait for each other's connections. */
  readonly key: string;
  /** Calls under way at once; further ones wait, within their deadline. Default 32. */
  readonly connections?: number;
  /** Default 30,000. */
  readonly deadlineMs?: number;
  /** Largest answer, events included. Default 4 MiB. */
  readonly maxResponseBytes?: number;
  /** Largest catalogue. Defaults 50 pages, 2,000 tools. */
  readonly limits?: ToolPageLimits;
  /** Told when the upstream says that one of its lists has changed, on the stream of an answer or while it is listened to. */
  readonly onListChange?: () => void;
}

/** What an upstream is shown with every request. */
export interface Presentation {
  headers: Readonly<Record<string, string>>;
  masker: Mask | null;
  /** When it was found out, in any count that grows. */
  order: number;
}

export interface CallOptions {
  /** For everything the call needs, finding out how to speak included. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Told how far a call has come, as often as the upstream says so. */
  readonly onProgress?: (progress: Progress) => void;
  /** For a call by a client that can be asked something; without it, a tool that asks is refused. */
  readonly dialogue?: Dialogue;
  /** Arguments to repeat as headers, whatever the upstream says of them by now; without it, as its list said last. */
  readonly mirrored?: readonly MirroredArgument[];
  /** Whether the tool is declared to do no more when called twice: called again, once, when the connection broke. */
  readonly repeatable?: boolean;
  /** Takes out of each message of the upstream what nobody may see. */
  readonly mask?: (message: unknown) => Promise<unknown>;
  /** Told when something had to be taken out besides, because the upstream was told it before. */
  readonly onMasked?: () => void;
}

/** What holds for everything a call needs. */
type Terms = Pick<Asked, 'deadlineAt' | 'signal' | 'onNotification' | 'mask' | 'onMasked' | 'maxBytes'> &
  Pick<CallOptions, 'mirrored'>;

const METHOD_NOT_FOUND = -32601;

/**
 * Speaks MCP to one upstream; keep one per upstream and use it for many calls at once. How the upstream wants to be spoken to
 * (2026-07-28, a 2025 handshake, or JSON-RPC without either) is found out with the first call, remembered, and found out anew
 * when the upstream stops accepting it, which the caller does not notice. A call whose bytes left is sent a second time only
 * if the upstream said that it did not take it, or the tool is declared to do no more then.
 */
export class McpClient {
  private readonly transport: JsonRpcTransport;
  private readonly deadlineMs: number;
  private readonly negotiated: NegotiatedProtocol;
  private underWay = 0;
  private progressTokens = 0;
  private presented = 0;
  private closing = false;
  private readonly closed = new AbortController();
  /** By tool, what the stateless revision wants mirrored to headers; only tools that declare something. */
  private mirrored = new Map<string, MirroredArgument[]>();

  /** @throws EgressRefused when the URL is not allowed */
  constructor(private readonly options: McpClientOptions) {
    this.deadlineMs = options.deadlineMs ?? 30_000;
    this.transport = new JsonRpcTransport({
      egress: options.egress,
      target: options.egress.target(options.url),
      poolKey: options.key,
      connections: options.connections ?? 32,
      maxResponseBytes: options.maxResponseBytes ?? 4 * 1_024 * 1_024,
      ...(options.onListChange ? { onListChange: options.onListChange } : {}),
    });
    this.negotiated = new NegotiatedProtocol(this.transport, this.deadlineMs);
  }

  /** The protocol in use: a revision, `json-rpc`, or null while it is not known. */
  get protocol(): string | null {
    const revision = this.negotiated.current;
    if (!revision) return null;
    if (revision.kind === 'plain') return 'json-rpc';
    return revision.kind === 'stateless' ? STATELESS_VERSION : revision.version;
  }

  /**
   * The upstream's whole catalogue, in its order; tools without a usable name are left out, of equal names the first counts.
   *
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  async listTools(options: CallOptions = {}): Promise<UpstreamTool[]> {
    const terms = this.termsOf(options);
    const pages = new ToolPages(this.options.limits);
    await this.followPages('tools/list', pages, terms);
    const turns = new Turns();
    const mirrored = new Map<string, MirroredArgument[]>();
    for (const { name, inputSchema } of pages.tools) {
      if (turns.isOver) await turns.next();
      const declared = mirroredArguments(inputSchema);
      if (declared.length > 0) mirrored.set(name, [...declared]);
    }
    this.mirrored = mirrored;
    return pages.tools;
  }

  /**
   * What the upstream has besides tools, in its order; asked for as far as it declared to have such things.
   *
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  async listResources(options: CallOptions = {}): Promise<ResourceLists> {
    const terms = this.termsOf(options);
    const revision = await this.negotiated.find(terms);
    const declared = revision.kind === 'plain' ? {} : (revision.capabilities ?? {});
    const list = (kind: ResourceKind): Promise<JsonObject[]> =>
      isObject(declared[RESOURCE_LISTS[kind].capability]) ? this.gather(kind, terms) : Promise.resolve([]);
    const [resources, templates, prompts] = await Promise.all([list('resources'), list('templates'), list('prompts')]);
    return { resources, templates, prompts, completions: isObject(declared['completions']) };
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
    const terms = this.termsOf(options);
    const result = await this.repeatably(() => this.rpc(method, asIs, terms));
    if (!isObject(result)) throw new UpstreamUnreachable('protocol');
    return result['resultType'] === 'input_required' ? toQuestion(result, dialogue) : result;
  }

  /**
   * Calls a tool and answers its result as it came, `isError: true` included.
   *
   * @throws UpstreamUnreachable when there is no usable answer; its `sent` tells whether the tool may have run
   * @throws UpstreamRpcError when the upstream refused the call
   */
  async callTool(
    name: string,
    args: JsonObject,
    options: CallOptions = {},
  ): Promise<UpstreamToolResult | InputRequired> {
    const { onProgress, dialogue, repeatable = false } = options;
    const call = { name, arguments: args };
    const asIs = dialogue ? withDialogue(call, dialogue) : call;
    const terms = this.termsOf(options);
    const make = (params: JsonObject, under: Terms): Promise<unknown> => {
      const once = (): Promise<unknown> => this.rpc('tools/call', params, under);
      return repeatable ? this.repeatably(once) : once();
    };
    if (!onProgress) return toToolResult(await make(asIs, terms), dialogue);
    const token = `p${++this.progressTokens}`;
    const tracked = { ...call, _meta: { progressToken: token } };
    const params = dialogue ? withDialogue(tracked, dialogue) : tracked;
    const onNotification = (notification: JsonObject): void => {
      const progress = progressOf(notification, token);
      if (progress) onProgress(progress);
    };
    return toToolResult(await make(params, { ...terms, onNotification }), dialogue);
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
    const revision = await this.negotiated.find({ ...this.termsOf({}), signal: cut });
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
      if (!(error instanceof RejectedUnprocessed)) throw error;
      // Perhaps its session is over; whoever listens again begins another.
      this.negotiated.forget(revision);
      throw error.outcome();
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

  /** Ends the session, if there is one, and closes the connections, once calls under way have ended. */
  close(): void {
    this.closing = true;
    this.closed.abort();
    if (this.underWay > 0) return;
    const { current } = this.negotiated;
    if (current) {
      this.transport.endSession(current);
      this.negotiated.forget(current);
    }
    this.options.egress.closePools(this.options.key);
  }

  private async gather(kind: ResourceKind, terms: Terms): Promise<JsonObject[]> {
    const pages = new ResourcePages(kind);
    try {
      await this.followPages(RESOURCE_LISTS[kind].method, pages, terms);
    } catch (error) {
      // Some that have resources know nothing of templates.
      if (!(error instanceof UpstreamRpcError) || error.rpcCode !== METHOD_NOT_FOUND) throw error;
    }
    return pages.items;
  }

  /** Asks for the pages of a list, one after the other. */
  private async followPages(method: string, pages: ToolPages | ResourcePages, terms: Terms): Promise<void> {
    const room = new ListLimits();
    let cursor: string | null = null;
    do {
      const params: JsonObject = cursor === null ? {} : { cursor };
      const page = await room.take((maxBytes) =>
        this.repeatably(() => this.answer(method, params, { ...terms, maxBytes })),
      );
      cursor = await pages.add(page);
    } while (cursor !== null);
  }

  private termsOf({ deadlineMs = this.deadlineMs, signal, mirrored, mask, onMasked }: CallOptions): Terms {
    return {
      deadlineAt: performance.now() + deadlineMs,
      ...(signal ? { signal } : {}),
      ...(mirrored ? { mirrored } : {}),
      ...(mask ? { mask } : {}),
      ...(onMasked ? { onMasked } : {}),
    };
  }

  private async rpc(method: string, params: JsonObject, terms: Terms): Promise<unknown> {
    return (await this.answer(method, params, terms)).result;
  }

  private async answer(method: string, params: JsonObject, terms: Terms): Promise<Answered> {
    this.underWay++;
    try {
      return await this.attempt(method, params, terms);
    } finally {
      this.underWay--;
      if (this.closing) this.close();
    }
  }

  private async attempt(method: string, params: JsonObject, terms: Terms): Promise<Answered> {
    for (let attempt = 1; ; attempt++) {
      const revision = await this.negotiated.find(terms);
      try {
        const answered = await this.ask(revision, method, params, terms);
        this.negotiated.confirm(revision);
        return answered;
      } catch (error) {
        if (error instanceof RejectedUnprocessed) {
          this.negotiated.forget(revision);
          if (attempt > 1) throw error.outcome();
          if (error.rpcError?.rpcCode === -32020 && method === 'tools/call' && !terms.mirrored)
            await this.relearnHeaders(terms);
        } else {
          if (error instanceof UpstreamRpcError) this.negotiated.confirm(revision);
          if (error instanceof UpstreamUnreachable && suggestsAnotherServer(error)) this.negotiated.forget(revision);
          throw error;
        }
      }
    }
  }

  private ask(
    revision: ProtocolRevision,
    method: string,
    params: JsonObject,
    { mirrored, ...terms }: Terms,
  ): Promise<Answered> {
    const tool = method === 'tools/call' ? String(params['name']) : undefined;
    const headers = headersFor(revision, method, subjectOf(method, params)?.value);
    const declared =
      tool !== undefined && revision.kind === 'stateless' ? (mirrored ?? this.mirrored.get(tool)) : undefined;
    if (declared && isObject(params['arguments'])) Object.assign(headers, mirrorHeaders(declared, params['arguments']));
    return this.transport.ask({ revision, method, params: paramsFor(revision, params), headers, ...terms });
  }

  /** Once more after a connection that broke: only for what changes nothing. */
  private async repeatably<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UpstreamUnreachable && error.reason === 'reset') return work();
      throw error;
    }
  }

  /** A header mismatch means that the tool's declarations are not the ones remembered. */
  private async relearnHeaders({ deadlineAt, signal }: Terms): Promise<void> {
    await this.listTools({ deadlineMs: Math.max(1, deadlineAt - performance.now()), ...(signal ? { signal } : {}) });
  }
}

/** Whether the next call should find out anew what it is speaking to. */
function suggestsAnotherServer({ reason }: UpstreamUnreachable): boolean {
  return (
    reason === 'connect' || reason === 'dns' || reason === 'tls' || reason === 'protocol' || reason === 'http_status'
  );
}

/**
 * Its names and its state come back with the next call, so they have to be what a request may hold; and a question of Haldir's
 * own is asked by Haldir.
 */
function toQuestion(result: JsonObject, dialogue: Dialogue | undefined): InputRequired {
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

/** Servers without MCP answer `tools/call` with whatever they have; it is handed on as one text block. */
function toToolResult(result: unknown, dialogue: Dialogue | undefined): UpstreamToolResult | InputRequired {
  if (isObject(result)) {
    if (result['resultType'] === 'input_required') return toQuestion(result, dialogue);
    if (Array.isArray(result['content'])) return { ...result, content: result['content'] };
  }
  if (result === undefined) throw new UpstreamUnreachable('protocol');
  const text = typeof result === 'string' ? result : stringifyJson(result);
  return { ...(isObject(result) ? result : {}), content: [{ type: 'text', text }] };
}
