import { Injectable } from '@nestjs/common';
import { type Actor, HaldirError, stringifyJson } from '@haldir/kernel';
import {
  AgentKeyNotAllowed,
  Answer,
  type Caller,
  foreignMembers,
  grantsKeyScope,
  invalidInput,
  plainNumbers,
  requireKeyScope,
  warningsOf,
} from '@haldir/http';
import { type JsonObject } from '@haldir/mcp';
import { ApprovalTools } from './approval.tools.js';
import { AuditTools } from './audit.tools.js';
import { CALL_TOOL, CALL_TOOL_DEFINITION } from './call-tool.js';
import { CatalogueTools } from './catalogue.tools.js';
import { type Audience, definitionOf, type OwnCall, type OwnTool } from './own-tool.js';
import { PaymentTools } from './payment.tools.js';
import { SecretTools } from './secret.tools.js';
import { SessionTools } from './session.tools.js';

interface ToolEntry {
  tool: OwnTool;
  /** Its definition, as JSON text. */
  json: string;
}

/** Haldir's own tools: six for an agent in its session, three more for one that searches, ten for the operator of a key. */
@Injectable()
export class OwnToolbox {
  private readonly tools: Readonly<Record<Audience, ReadonlyMap<string, ToolEntry>>>;
  /** Names of tools that searchers alone have. */
  private readonly searching: ReadonlySet<string>;

  constructor(
    sessions: SessionTools,
    secrets: SecretTools,
    payments: PaymentTools,
    audit: AuditTools,
    approvals: ApprovalTools,
    catalogue: CatalogueTools,
  ) {
    const all: OwnTool[] = [sessions, secrets, payments, audit, approvals, catalogue].flatMap(({ tools }) => tools);
    const isFor = ({ audience: those }: OwnTool, audience: Audience): boolean =>
      those.includes(audience) || (audience === 'searcher' && those.includes('agent'));
    const openTo = (audience: Audience): Map<string, ToolEntry> =>
      new Map(
        all
          .filter((tool) => isFor(tool, audience))
          .map((tool) => [tool.name, { tool, json: definitionOf(tool, audience) }]),
      );
    this.tools = { agent: openTo('agent'), operator: openTo('operator'), searcher: openTo('searcher') };
    this.searching = new Set([...catalogue.tools.map(({ name }) => name), CALL_TOOL]);
  }

  /** Definitions of the tools that a key of this kind with these scopes may call, as JSON texts. */
  definitions(audience: Audience, { actor, scopes }: Caller): string[] {
    const own = [...this.tools[audience].values()]
      .filter(({ tool }) => isOpenTo(actor, tool) && tool.scopes.some((scope) => grantsKeyScope(scopes, scope)))
      .map(({ json }) => json);
    return audience === 'searcher' && grantsKeyScope(scopes, 'proxy:call') ? [...own, CALL_TOOL_DEFINITION] : own;
  }

  names(audience: Audience): string[] {
    return [...this.tools[audience].keys(), ...(audience === 'searcher' ? [CALL_TOOL] : [])];
  }

  /** Whether the name is that of a tool that searchers alone have. */
  isForSearchers(name: string): boolean {
    return this.searching.has(name);
  }

  find(audience: Audience, name: string): OwnTool | null {
    return this.tools[audience].get(name)?.tool ?? null;
  }

  /**
   * Calls a tool. A refusal is the tool's answer, with `isError`, and says what the REST operation would say.
   *
   * @throws whatever nobody expected
   */
  async call(tool: OwnTool, args: JsonObject, call: OwnCall): Promise<JsonObject> {
    try {
      const answer = await this.run(tool, args, call);
      return answer instanceof Answer
        ? toToolResult(answer.body as object, answer.status >= 400)
        : toToolResult(answer, false);
    } catch (error) {
      if (!(error instanceof HaldirError)) throw error;
      return toToolResult({ error: error.message, code: error.code, ...error.details }, true);
    }
  }

  private async run(tool: OwnTool, args: JsonObject, call: OwnCall): Promise<object> {
    if (!isOpenTo(call.caller.actor, tool)) throw new AgentKeyNotAllowed('This tool');
    requireKeyScope(call.caller, tool.scopes);
    const { sessionId } = call;
    const given = plainNumbers(tool.input, sessionId === null ? args : { ...args, session_id: sessionId });
    const foreign = foreignMembers(tool.input, given);
    const parsed = tool.input.safeParse(given);
    if (!parsed.success) throw invalidInput(parsed.error.issues);
    const answer = await tool.run(parsed.data, call);
    return foreign.length === 0 || answer instanceof Answer ? answer : { ...answer, warnings: warningsOf(foreign) };
  }
}

function isOpenTo({ kind }: Actor, { openToAgents }: OwnTool): boolean {
  return kind !== 'agent' || openToAgents === true;
}

function toToolResult(body: object, isError: boolean): JsonObject {
  return {
    content: [{ type: 'text', text: stringifyJson(body) }],
    structuredContent: body,
    ...(isError ? { isError } : {}),
  };
}
