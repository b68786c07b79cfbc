import { InvalidInput } from '@haldir/kernel';
import { foreignMembers, invalidInput } from '@haldir/http';
import { isObject, type JsonObject } from '@haldir/mcp';
import { z } from 'zod';
import { schemaOf } from './own-tool.js';

export const CALL_TOOL = 'callTool';

/** `upstream.tool`: 64 + 1 + 256 characters, and some to spare, as over REST. */
const MAX_NAME = 330;
const NAME_EXPECTED = `expected a tool name of 1 to ${MAX_NAME} characters`;

export const toolName = z
  .string(NAME_EXPECTED)
  .min(1, NAME_EXPECTED)
  .max(MAX_NAME, NAME_EXPECTED)
  .describe('As searchTools names it');

const CallTool = z.object({
  name: toolName,
  arguments: z
    .record(z.string(), z.unknown(), 'expected an object')
    .optional()
    .describe('As the inputSchema of the tool says, see describeTool'),
});

/** Its definition as JSON text. What it does and answers is the called tool's to say. */
export const CALL_TOOL_DEFINITION = JSON.stringify({
  name: CALL_TOOL,
  title: 'Call a tool',
  description:
    'Call a tool that searchTools has found. It is decided, logged and answered as the tool itself. Read its inputSchema with describeTool first.',
  inputSchema: { type: 'object', ...schemaOf(CallTool, 'input') },
  annotations: { title: 'Call a tool', readOnlyHint: false, destructiveHint: true, openWorldHint: true },
});

/**
 * The call that is asked for in the arguments of `callTool`.
 *
 * @param own names of Haldir's own tools, which are called by themselves
 * @throws InvalidInput that names the argument
 */
export function calledThrough(args: JsonObject, own: readonly string[]): { name: string; args: JsonObject } {
  const [foreign] = foreignMembers(CallTool, args);
  if (foreign !== undefined)
    throw new InvalidInput(
      'arguments: expected in here all that the tool takes, and beside it name alone',
      'unknown_member',
    );
  const parsed = CallTool.safeParse(args);
  if (!parsed.success) throw invalidInput(parsed.error.issues);
  const { name } = parsed.data;
  if (own.includes(name))
    throw new InvalidInput(`name: expected a tool of an upstream; ${name} is called by its own name`);
  // As they came, numbers included.
  return { name, args: isObject(args['arguments']) ? args['arguments'] : {} };
}
