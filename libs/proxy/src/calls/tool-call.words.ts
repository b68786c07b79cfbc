import { type ToolTarget } from '../catalogue/tool-target.repository.js';
import { qualifiedName } from '../catalogue/tool-name.js';
import { type UpstreamToolResult } from '../mcp-client/index.js';
import { type CallDetails, writeNoted } from './call-details.js';
import { digestsOf } from './call-digest.js';
import { type CallNotes } from './call-decision.js';
import { type EntryWords } from './call-kind.js';
import { type NewCall } from './tool-call.js';

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

function noted(notes: CallNotes, target: ToolTarget | null): Partial<CallDetails> {
  const { destructive = false, goesByOwnName = true } = target ?? {};
  return writeNoted(target?.name ?? null, { ...notes, destructive, goesByOwnName }, notes);
}
