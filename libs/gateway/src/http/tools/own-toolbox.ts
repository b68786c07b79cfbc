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
import { type Audience, definitionOf, type OwnCall, type OwnTool } from './own-tool.js';
import { PaymentTools } from './payment.tools.js';
import { SecretTools } from './secret.tools.js';
import { SessionTools } from './session.tools.js';

interface ToolEntry {
  tool: OwnTool;
  /** Its definition, as JSON text. */
  json: string;
}

/** Haldir's own tools: six for an agent in its session, ten for the operator of a key. */
@Injectable()
export class OwnToolbox {
  private readonly tools: Readonly<Record<Audience, ReadonlyMap<string, ToolEntry>>>;

  constructor(
    sessions: SessionTools,
    secrets: SecretTools,
    payments: PaymentTools,
    audit: AuditTools,
    approvals: ApprovalTools,
  ) {
    const all: OwnTool[] = [sessions, secrets, payments, audit, approvals].flatMap(({ tools }) => tools);
    const openTo = (audience: Audience): Map<string, ToolEntry> =>
      new Map(
        all
          .filter((tool) => tool.audience.includes(audience))
          .map((tool) => [tool.name, { tool, json: definitionOf(tool, audience) }]),
      );
    this.tools = { agent: openTo('agent'), operator: openTo('operator') };
  }

  /** Definitions of the tools that a key of this kind with these scopes may call, as JSON texts. */
  definitions(audience: Audience, { actor, scopes }: Caller): string[] {
    return [...this.tools[audience].values()]
      .filter(({ tool }) => isOpenTo(actor, tool) && tool.scopes.some((scope) => grantsKeyScope(scopes, scope)))
      .map(({ json }) => json);
  }

  names(audience: Audience): string[] {
    return [...this.tools[audience].keys()];
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
