import { Inject, Injectable } from '@nestjs/common';
import { type JsonValue } from '@haldir/kernel';
import { keyPrefix, type Session, SessionInvalid } from '@haldir/gate';
import { Cursors, grantsKeyScope, MissingKeyScope, writeOf, Writes } from '@haldir/http';
import { type JsonObject } from '@haldir/mcp';
import {
  CALL_SCOPES,
  type CallOutcome,
  type CallWatch,
  type Catalogue,
  type CatalogueTool,
  type MissingUpstream,
  neverLeft,
  type NewCall,
  type PerformedCall,
  ProxyCallService,
  ToolCatalogue,
} from '@haldir/proxy';
import { type Asking } from './asking.js';
import { type CallReply, refused, resultOf, toCallReply, toPollReply } from './call-outcome.js';
import { HeldRequests } from './held-requests.js';
import { repeats } from './protocol/mcp-headers.js';
import { type ToolCall } from './tool-call.js';

/** What the key must hold, as for `POST /v1/proxy/call`. */
const KEY_SCOPE = 'proxy:write';
const PAGE = 1_000;

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
  /** By the catalogue that they begin, which stays the same object while nothing changes. */
  private readonly firstPages = new WeakMap<Catalogue, ToolPage>();

  constructor(
    @Inject(ProxyCallService) private readonly calls: ProxyCallService,
    @Inject(ToolCatalogue) private readonly catalogue: ToolCatalogue,
    @Inject(HeldRequests) private readonly held: HeldRequests,
    @Inject(Writes) private readonly writes: Writes,
    @Inject(Cursors) private readonly cursors: Cursors,
  ) {}

  /**
   * Up to 1,000 tools that the key, the session and the tenant's policies let the session call, in a stable order.
   *
   * @param taken names of Haldir's own tools
   * @throws InvalidInput for a cursor that was not given out for this list
   */
  async list({ caller }: Asking, session: Session, cursor: string | null, taken: readonly string[]): Promise<ToolPage> {
    const { tenantId } = caller;
    const identity = { tenantId, list: 'mcp_tools', filters: {} };
    const [upstream = '', name = ''] = cursor === null ? [] : this.cursors.decode(identity, cursor).map(String);
    if (!grantsKeyScope(caller.scopes, KEY_SCOPE) || !CALL_SCOPES.some((scope) => session.grants(scope)))
      return { text: Buffer.alloc(0), nextCursor: null, missing: [], heldBack: [] };
    const catalogue = await this.catalogue.callable(tenantId, session.agentId, taken);
    const ready = cursor === null ? this.firstPages.get(catalogue) : undefined;
    if (ready) return ready;
    const { tools, missing, heldBack } = catalogue;
    const rest =
      cursor === null
        ? tools
        : tools.filter((tool) => tool.upstream > upstream || (tool.upstream === upstream && tool.name > name));
    const some = rest.slice(0, PAGE + 1);
    const { items, nextCursor } = this.cursors.page(identity, some, PAGE, (tool) => [tool.upstream, tool.name]);
    const page = { text: Buffer.from(items.map(toText).join(',')), nextCursor, missing, heldBack };
    if (cursor === null) this.firstPages.set(catalogue, page);
    return page;
  }

  /**
   * Calls a tool as `POST /v1/proxy/call` does: decided, logged and kept under an `Idempotency-Key` in the same way.
   *
   * @throws SessionInvalid; RpcError for what MCP answers as an error rather than as a result
   */
  async call(asking: Asking, sessionId: string, toolCall: ToolCall): Promise<JsonObject> {
    const { name, args, dialogue } = toolCall;
    const { tenantId, keyId, scopes } = asking.caller;
    if (!grantsKeyScope(scopes, KEY_SCOPE)) {
      const { message, code, details } = new MissingKeyScope(KEY_SCOPE);
      return refused({ error: message, code, ...details });
    }
    asking.exchange?.expectWaiting();
    const call: NewCall = {
      ...{ tenantId, sessionId, tool: name, arguments: args, requestedKey: keyPrefix(keyId), heedsDenials: true },
      ...(asking.era === 'stateless' ? { repeats: (expected) => repeats(asking.request.headers, expected) } : {}),
      ...(asking.era === 'stateless' && dialogue ? { dialogue } : {}),
    };
    // A call that goes on with answers is another request.
    const content = (): JsonValue => ({
      ...{ tool: name, arguments: args as JsonValue, session: sessionId },
      ...((dialogue ?? {}) as { [member: string]: JsonValue }),
    });
    const write = writeOf(asking.request, asking.reply, 'MCP tools/call', content);
    try {
      const reply = await this.writes.around<PerformedCall | StillHeld, CallReply>(
        write,
        2 * this.calls.longestMs + this.held.longestMs,
        () => this.perform(asking, call, toolCall),
        async (performed, tx) =>
          performed instanceof StillHeld
            ? this.replyTo(performed.outcome, asking, toolCall)
            : this.replyTo(await this.calls.conclude(performed, tx), asking, toolCall),
      );
      return resultOf(reply);
    } catch (error) {
      if (error instanceof WithoutEffect) return resultOf(this.replyTo(error.outcome, asking, toolCall));
      throw error;
    }
  }

  /** Makes the call. One that is decided about while it waits is decided anew then, like one that comes again. */
  private async perform(asking: Asking, call: NewCall, toolCall: ToolCall): Promise<PerformedCall | StillHeld> {
    const watch = watchOf(asking, toolCall);
    const first = await this.calls.perform(call, watch);
    const { outcome } = first;
    if (outcome.kind !== 'held') return this.failWithoutEffect(first);
    // The log has it before it waits.
    await this.calls.conclude(first, null);
    if (!(await this.held.isDecided(asking, toolCall.params, outcome.request))) return new StillHeld(outcome);
    return this.failWithoutEffect(await this.calls.perform(call, watch));
  }

  /** @throws SessionInvalid */
  private replyTo(outcome: CallOutcome, asking: Asking, { params, dialogue }: ToolCall): CallReply {
    if (outcome.kind === 'no_session') throw new SessionInvalid();
    if (outcome.kind !== 'held') return toCallReply(outcome, asking.era);
    const { request } = outcome;
    return (
      this.held.prompt(asking, params, request, dialogue) ?? toPollReply(request, this.held.pageOf(asking, request))
    );
  }

  /** A call that certainly had no effect, and may have one if it is tried again, leaves its `Idempotency-Key` free. */
  private async failWithoutEffect(performed: PerformedCall): Promise<PerformedCall> {
    if (!neverLeft(performed.outcome)) return performed;
    throw new WithoutEffect(await this.calls.conclude(performed, null));
  }
}

/** A definition under the name it is shown by. Every definition holds more than its name: an inputSchema at least. */
function toText({ shownName, definition }: CatalogueTool): string {
  return `{"name":${JSON.stringify(shownName)},${definition.slice(1)}`;
}

/** A call that was not let through, and is in the log already. */
class StillHeld {
  constructor(readonly outcome: CallOutcome) {}
}

/** Carries an outcome past the `Idempotency-Key`. */
class WithoutEffect extends Error {
  constructor(readonly outcome: CallOutcome) {
    super('the call had no effect');
  }
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
