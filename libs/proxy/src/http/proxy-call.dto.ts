import { type Actor } from '@haldir/kernel';
import { wordsOfNotified } from '@haldir/approvals';
import { SessionInvalid } from '@haldir/gate';
import { Answer } from '@haldir/http';
import { z } from 'zod';
import { type CallOutcome } from '../calls/call-outcome.js';
import { isRefused, type RefusedOutcome, refusalOf } from '../calls/outcome-table.js';
import { type NewCall } from '../calls/tool-call.js';
import { POLICY_TYPES } from '../policies/policy.js';
import { toolName } from './fields.js';

const SESSION_EXPECTED = 'expected a session ID';

export const ProxyCall = z.object({
  tool: toolName.describe('Tool name to call'),
  arguments: z
    .record(z.string(), z.unknown(), 'expected an object')
    .nullish()
    .describe('Arguments to pass to the tool'),
  session_id: z
    .string(SESSION_EXPECTED)
    .min(1, SESSION_EXPECTED)
    .max(256, SESSION_EXPECTED)
    .describe('Active session ID'),
});
export type ProxyCall = z.infer<typeof ProxyCall>;

export function toNewCall(actor: Actor, body: ProxyCall): NewCall {
  return { actor, sessionId: body.session_id, tool: body.tool, arguments: body.arguments ?? {} };
}

const ContentBlock = z.looseObject({ type: z.string().optional(), text: z.string().optional() });

/** A tool's answer is handed on as it came, so this names only what every answer has. */
export const ToolResult = z
  .looseObject({ content: z.array(ContentBlock).optional(), isError: z.boolean().optional() })
  .meta({ id: 'ToolResult' });
export type ToolResult = z.infer<typeof ToolResult>;

/** The smallest change after which a policy lets the call through. */
const Remedy = z.object({
  policy_id: z.string(),
  change: z
    .enum(['raise', 'add_tool', 'remove_tool', 'wait', 'remove_policy'])
    .describe('What would have to happen to the policy; `wait`: nothing but time'),
  field: z.enum(['max', 'max_per_minute']).optional().describe('Of raise'),
  to: z.number().optional().describe('Of raise'),
  tool: z.string().optional().describe('Of add_tool'),
  tools: z.array(z.string()).optional().describe('Of remove_tool'),
  until: z.number().optional().describe('Of wait, Unix seconds'),
  text: z.string().describe('The same in words'),
});
export const Explanation = z
  .object({ policy_id: z.string(), policy: z.enum(POLICY_TYPES), reason: z.string(), remedy: Remedy })
  .meta({ id: 'ProxyExplanation' });

export const CallRefused = z.object({
  isError: z.literal(true),
  content: z.array(z.object({ type: z.string(), text: z.string() })),
  error: z.string().describe('Human-readable error message'),
  code: z.string().describe('Machine-readable error code'),
  explanation: z
    .array(Explanation)
    .optional()
    .describe(
      'Of blocked_by_policy: every policy that refuses the call. The call is made once none of them refuses it',
    ),
  unexplained: z.int().optional().describe('How many more policies refuse the call'),
});
type CallRefused = z.infer<typeof CallRefused>;
export const CallFailed = z.object({
  error: z.string(),
  code: z.string(),
  request_id: z
    .string()
    .optional()
    .describe('Absent where the call may have been made: that answer is kept for its Idempotency-Key'),
});

/**
 * What the caller of a tool is answered.
 *
 * @throws SessionInvalid, UpstreamUnreachable for what is not kept under an `Idempotency-Key`
 */
export function toCallAnswer(outcome: CallOutcome): ToolResult | Answer<ToolResult> {
  if (isRefused(outcome)) return toRefusedAnswer(outcome);
  switch (outcome.kind) {
    case 'answered':
      // Copied, because the tool's own type is read-only.
      return { ...outcome.result } as ToolResult;
    case 'refused':
      return {
        isError: true,
        content: textBlock(`MCP error ${outcome.error.rpcCode}: ${outcome.error.rpcMessage}`),
      };
    case 'held': {
      const { requestId, reason, notified } = outcome.request;
      const once = 'Once the request is approved, the same call by the same session is let through, once';
      const message = once + wordsOfNotified(notified);
      const held = { status: 'approval_required', request_id: requestId, reason, notified, message };
      return { content: textBlock(JSON.stringify(held)) };
    }
    case 'mismatched':
    case 'asked':
    case 'denied':
      throw new Error('only MCP repeats arguments as headers, can be asked something, and heeds denials');
    case 'no_session':
      throw new SessionInvalid();
    case 'unknown':
      return toUnknownAnswer(outcome);
    case 'unreachable':
      if (!outcome.error.sent) throw outcome.error;
      return new Answer(502, { error: outcome.error.message, code: outcome.error.code });
  }
}

/** What Haldir says in place of the tool. */
function toRefusedAnswer(outcome: RefusedOutcome): Answer<ToolResult> {
  const { code, message, facts, explained } = refusalOf(outcome);
  return refusal(403, code, message, facts, explained);
}

function toUnknownAnswer({ upstreams }: { upstreams: readonly string[] }): Answer<ToolResult> {
  if (upstreams.length === 0) return refusal(404, 'unknown_tool', 'Unknown tool', {});
  const message = `Several upstreams have this tool; call it as upstream.tool (${upstreams.join(', ')})`;
  return refusal(404, 'ambiguous_tool', message, { upstreams });
}

/** @param members what the body says beside, for programs that do not read the text */
function refusal(
  status: 403 | 404,
  code: string,
  error: string,
  facts: object,
  members: Pick<CallRefused, 'explanation' | 'unexplained'> = {},
): Answer<ToolResult> {
  const text = JSON.stringify({ error, blocked_by: 'haldir', ...facts });
  return new Answer(status, { isError: true, content: textBlock(text), error, code, ...members });
}

function textBlock(text: string): [{ type: 'text'; text: string }] {
  return [{ type: 'text', text }];
}
