import { Injectable } from '@nestjs/common';
import { DIALOGUE_MS, type HaldirError, type JsonValue } from '@haldir/kernel';
import { type Session, SessionInvalid } from '@haldir/gate';
import {
  type Attempt,
  type Caller,
  Callers,
  Cursors,
  grantsKeyScope,
  MissingKeyScope,
  writeOf,
  Writes,
} from '@haldir/http';
import { type JsonObject } from '@haldir/mcp';
import {
  attemptOf,
  CallConclusions,
  type CallOutcome,
  type CallWatch,
  type Catalogue,
  type CatalogueTool,
  type Dialogue,
  type ClientElicitation,
  type MissingUpstream,
  type NewCall,
  type PerformedCall,
  ToolCallService,
  ToolCatalogue,
} from '@haldir/proxy';
import { type Asking } from './asking.js';
import { type CallReply, refused, resultOf, toCallReply, toPollReply } from './call-outcome.js';
import { Elicitations } from './elicitations.js';
import { HeldRequests } from './held-requests.js';
import { repeats } from './protocol/mcp-headers.js';
import { type Revision, StartedTask } from './protocol/messages.js';
import { toCapabilities } from './protocol/mcp-session.js';
import { Questions } from './questions.js';
import { CallTasks } from './tasks/call-tasks.js';
import { declaresTasks, factsOf } from './tasks/task-shape.js';
import { CALL_KEY_SCOPE, mayCall, type ToolCall } from './tool-call.js';

const NOTHING: Catalogue = { tools: [], missing: [], heldBack: [] };
const PAGE = 1_000;
/** Of the definitions on a page of tools. */
const PAGE_CHARS = 1024 * 1024;
const MAX_ROUNDS = 16;
const NOT_ANSWERED = {
  error: 'The tool asked something that the client could not be asked, or did not answer in time; it did not finish.',
  code: 'not_answered',
};

const SESSION_ENDED = {
  error: 'The session has ended while the tool was asking; it did not finish.',
  code: 'invalid_session',
};

/** What is answered, in a form that can be kept; `task`: the call goes on as one. */
type ToolReply = CallReply | { task: JsonObject };

/** A call that is over: to be written down and answered, or in the log already and with its answer. */
type EndedCall = PerformedCall | { reply: ToolReply };

/** A page of a session's tools. */
export interface ToolPage {
  /** The definitions, separated by commas; empty without any. */
  text: Buffer;
  nextCursor: string | null;
  missing: MissingUpstream[];
  /** Tools that their upstreams have changed. */
  heldBack: string[];
}

/** The tools of upstreams, as a session may call them. */
@Injectable()
export class UpstreamTools {
  /** By the catalogue that they begin, which stays the same object while nothing changes, of each kind of client. */
  private readonly firstPages = {
    stateless: new WeakMap<Catalogue, ToolPage>(),
    handshake: new WeakMap<Catalogue, ToolPage>(),
  };

  constructor(
    private readonly calls: ToolCallService,
    private readonly conclusions: CallConclusions,
    private readonly catalogue: ToolCatalogue,
    private readonly held: HeldRequests,
    private readonly callers: Callers,
    private readonly questions: Questions,
    private readonly elicitations: Elicitations,
    private readonly tasks: CallTasks,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  /**
   * Up to 1,000 tools, of about 1 MiB together, that the key, the session and the tenant's policies let the session call, in a stable order.
   *
   * @param taken names of Haldir's own tools
   * @throws InvalidInput for a cursor that was not given out for this list
   */
  async list(
    { caller, revision }: Asking,
    session: Session,
    cursor: string | null,
    taken: readonly string[],
  ): Promise<ToolPage> {
    const { tenantId } = caller.actor;
    const identity = { tenantId, list: 'mcp_tools', filters: {} };
    const [upstream = '', name = ''] = cursor === null ? [] : this.cursors.decode(identity, cursor).map(String);
    const catalogue = await this.catalogueFor(caller, session, taken);
    const ready = cursor === null ? this.firstPages[revision].get(catalogue) : undefined;
    if (ready) return ready;
    const { tools, missing, heldBack } = catalogue;
    const rest =
      cursor === null
        ? tools
        : tools.filter((tool) => tool.upstream > upstream || (tool.upstream === upstream && tool.name > name));
    const size = pageSize(rest);
    const some = rest.slice(0, size + 1);
    const { items, nextCursor } = this.cursors.page(identity, some, size, (tool) => [tool.upstream, tool.name]);
    const text = Buffer.from(items.map((tool) => toText(tool, revision)).join(','));
    const page = { text, nextCursor, missing, heldBack };
    if (cursor === null) this.firstPages[revision].set(catalogue, page);
    return page;
  }

  /** What the key, the session and the tenant's policies let the session call. */
  async catalogueFor(caller: Caller, session: Session, taken: readonly string[]): Promise<Catalogue> {
    return mayCall(caller, session) ? this.catalogue.callable(caller.actor, session.agentId, taken) : NOTHING;
  }

  /** As the list has it, as JSON text. */
  definitionOf(tool: CatalogueTool, revision: Revision): string {
    return toText(tool, revision);
  }

  /**
   * Calls a tool as `POST /v1/proxy/call` does: decided, logged and kept under an `Idempotency-Key` in the same way.
   *
   * @throws SessionInvalid; RpcError for what MCP answers as an error rather than as a result
   */
  async call(asking: Asking, sessionId: string, toolCall: ToolCall): Promise<JsonObject | StartedTask> {
    const { name, args, dialogue, isWrapped } = toolCall;
    const { actor, scopes } = asking.caller;
    if (!grantsKeyScope(scopes, CALL_KEY_SCOPE)) {
      const { message, code, details } = new MissingKeyScope(CALL_KEY_SCOPE);
      return refused({ error: message, code, ...details });
    }
    asking.exchange?.expectWaiting();
    const call: NewCall = {
      actor,
      sessionId,
      tool: name,
      arguments: args,
      heedsDenials: true,
      ...(asking.revision === 'stateless' && !isWrapped
        ? { repeats: (expected) => repeats(asking.request.headers, expected) }
        : {}),
      ...dialogueOf(asking, dialogue, this.questions),
    };
    // A call that goes on with answers is another request.
    const answers = (dialogue ?? {}) as { [member: string]: JsonValue };
    const content = (): JsonValue => ({ tool: name, arguments: args as JsonValue, session: sessionId, ...answers });
    const write = writeOf(asking.request, asking.reply, 'MCP tools/call', content);
    const reply = await this.writes.around<EndedCall, ToolReply>(
      write,
      this.longestMs(asking, call),
      (claim) =>
        this.elicitations.during(asking, (elicitation) =>
          this.perform(asking, { ...call, claim }, toolCall, elicitation),
        ),
      async (ended, tx) =>
        'reply' in ended ? ended.reply : this.replyTo(await this.conclusions.conclude(ended, tx), asking, toolCall),
      (ended) => {
        if (!('reply' in ended)) this.conclusions.concludeLater(ended);
      },
    );
    return 'task' in reply ? new StartedTask(reply.task) : resultOf(reply);
  }

  private longestMs({ revision }: Asking, { dialogue }: NewCall): number {
    const alone = 2 * this.calls.longestMs + this.held.longestMs;
    return revision === 'handshake' && dialogue ? alone + DIALOGUE_MS + this.calls.longestMs : alone;
  }

  /**
   * Makes the call. One that is decided about while it waits is decided anew then, its key included, like one that comes again; and so is each
   * round of one whose tool has asked the client something on the stream. The log has each before it waits.
   */
  private async perform(
    asking: Asking,
    first: NewCall,
    toolCall: ToolCall,
    elicitation: ClientElicitation | undefined,
  ): Promise<Attempt<EndedCall>> {
    const watch = { ...watchOf(asking, toolCall), ...(elicitation ? { elicitation } : {}) };
    const endsAt = performance.now() + DIALOGUE_MS;
    let call = first;
    const recheck = (): Promise<HaldirError | null> => this.callers.refusal(asking.request, CALL_KEY_SCOPE);
    let hasWaited = false;
    let rounds = 0;
    try {
      for (;;) {
        const performed = await this.calls.perform(call, watch);
        const { outcome } = performed;
        if (outcome.kind === 'held' && !hasWaited) {
          hasWaited = true;
          await this.conclusions.conclude(performed, null);
          const { request } = outcome;
          if (asking.revision === 'stateless' && declaresTasks(toolCall.params)) {
            const { actor, sessionId } = call;
            // Another Idempotency-Key is another call.
            const isAlone = call.claim !== null;
            const task = await this.tasks.begin(actor, sessionId, toolCall, request, isAlone);
            const statusMessage = this.held.waitingWords(asking, request);
            return replied({ task: { ...factsOf(task), status: 'working', statusMessage } });
          }
          const pending = await this.held.wait(asking, toolCall.params, request, rounds > 0);
          if (pending) {
            // Another prompt would have the client begin anew.
            const begun = rounds > 0 ? toPollReply(pending, this.held.pageOf(asking, pending)) : null;
            return replied(begun ?? this.replyTo({ ...outcome, request: pending }, asking, toolCall));
          }
          call = { ...call, recheck };
        } else if (outcome.kind === 'asked' && asking.revision === 'handshake') {
          rounds++;
          await this.conclusions.conclude(performed, null);
          const { inputRequests, requestState } = outcome.question;
          const leftMs = rounds <= MAX_ROUNDS ? endsAt - performance.now() : 0;
          const responses = await this.questions.ask(asking, inputRequests, leftMs);
          if (!responses) return replied({ result: refused(NOT_ANSWERED) });
          const { capabilities } = call.dialogue ?? { capabilities: {} };
          const state = typeof requestState === 'string' ? { state: requestState } : {};
          call = { ...call, recheck, dialogue: { capabilities, responses, ...state } };
          hasWaited = false;
        } else if (rounds === 0) return attemptOf(performed);
        else if (outcome.kind !== 'no_session') return { kind: 'done', outcome: performed };
        else {
          await this.conclusions.conclude(performed, null);
          return replied({ result: refused(SESSION_ENDED) });
        }
      }
    } catch (error) {
      if (rounds === 0) throw error;
      // The tool has run as far as its question.
      return { kind: 'interrupted', error };
    }
  }

  /** @throws SessionInvalid */
  private replyTo(outcome: CallOutcome, asking: Asking, { params, dialogue }: ToolCall): CallReply {
    if (outcome.kind === 'no_session') throw new SessionInvalid();
    if (outcome.kind !== 'held') return toCallReply(outcome, asking.revision);
    const { request } = outcome;
    return (
      this.held.prompt(asking, params, request, dialogue) ?? toPollReply(request, this.held.pageOf(asking, request))
    );
  }
}

/** How many of them fill a page. */
function pageSize(tools: readonly CatalogueTool[]): number {
  let [count, chars] = [0, 0];
  for (const { definition } of tools) {
    chars += definition.length;
    if (count === PAGE || (count > 0 && chars > PAGE_CHARS)) break;
    count++;
  }
  return count;
}

/** A definition under the name it is shown by. Every definition holds more than its name: an inputSchema at least. */
function toText({ shownName, definition, olderDefinition }: CatalogueTool, revision: Revision): string {
  const rest = revision === 'handshake' ? (olderDefinition ?? definition) : definition;
  return `{"name":${JSON.stringify(shownName)},${rest.slice(1)}`;
}

/** A call that is in the log already. */
function replied(reply: ToolReply): Attempt<EndedCall> {
  return { kind: 'done', outcome: { reply } };
}

/** What the tool may ask: in its result a client of the stateless revision, on the stream one of the others. */
function dialogueOf(asking: Asking, dialogue: Dialogue | null, questions: Questions): Pick<NewCall, 'dialogue'> {
  const { revision, mcpSession } = asking;
  if (revision === 'stateless') return dialogue ? { dialogue } : {};
  return mcpSession && questions.canAsk(asking) ? { dialogue: { capabilities: toCapabilities(mcpSession) } } : {};
}

function watchOf({ cancelled, exchange }: Asking, { progressToken }: ToolCall): CallWatch {
  if (!exchange) return {};
  const onProgress: CallWatch['onProgress'] = (progress) =>
    exchange.notify('notifications/progress', { progressToken, ...progress });
  return {
    ...(cancelled ? { signal: cancelled } : {}),
    ...(progressToken === null ? {} : { onProgress }),
  };
}
