import { toDollars, toJsonNumber, toUnixSeconds } from '@haldir/kernel';
import { type ToolTarget } from '../catalogue/tool-lookup.js';
import { qualifiedName } from '../catalogue/tool-name.js';
import { type UpstreamToolResult } from '../mcp-client/index.js';
import { digestsOf } from './call-digest.js';
import { type CallNotes } from './call-decision.js';
import { type EntryWords } from './call-kind.js';
import { type NewCall } from './tool-call.js';

/** `log_only` policies that are named in an entry. */
const MAX_LOG_ONLY = 50;

/** What the log says of tool calls; simulation decides them again by it. */
export const TOOL_CALL_WORDS: EntryWords<NewCall, ToolTarget, UpstreamToolResult> = {
  unknown: 'Unknown tool',
  ambiguous: 'Several upstreams have the tool',
  actionOf: () => 'tool_call',
  nameOf: ({ tool }, target) => (target ? qualifiedName(target) : tool),
  resultOf: ({ isError }) => (isError === true ? 'tool_error' : 'ok'),
  factsOf: noted,
  digestsOf: (call) => digestsOf(call.arguments, call.dialogue),
};

/** What it takes to decide the call again, and what `log_only` policies made of it. */
function noted(notes: CallNotes, target: ToolTarget | null): Record<string, unknown> {
  const { decidedAt, ratedAt, amount, approvalId, wouldBlock, wouldHold, charge } = notes;
  return {
    ...(target ? { upstream: target.name } : {}),
    ...(target?.destructive ? { destructive: true } : {}),
    ...(target?.goesByOwnName === false ? { own_name: false } : {}),
    ...(amount === null ? {} : { amount: amount === 'unclear' ? amount : toJsonNumber(amount) }),
    decided_at: toUnixSeconds(decidedAt),
    ...(ratedAt === null || ratedAt.getTime() === decidedAt.getTime() ? {} : { rated_at: toUnixSeconds(ratedAt) }),
    ...(charge === null ? {} : { price_usd: toDollars(charge.price), authorization_id: charge.paymentId }),
    ...(approvalId === null ? {} : { approval: approvalId }),
    ...(wouldBlock.length === 0
      ? {}
      : {
          would_block: wouldBlock
            .slice(0, MAX_LOG_ONLY)
            .map(({ policyId, type, reason }) => ({ policy_id: policyId, type, reason })),
        }),
    ...(wouldHold.length === 0
      ? {}
      : { would_hold: wouldHold.slice(0, MAX_LOG_ONLY).map(({ id }) => ({ policy_id: id })) }),
  };
}
