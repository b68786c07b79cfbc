import { type Tx } from '@haldir/database';
import { type Session } from '@haldir/gate';
import { type Answer, type Caller, isObject, type Json, type KeyScope, mapObjects, withoutNoise } from '@haldir/http';
import { z } from 'zod';
import { type Revision } from '../protocol/messages.js';

/** One call of a tool of Haldir's own. */
export interface OwnCall {
  caller: Caller;
  /** The agent's session; null when the operator calls by its key alone. */
  sessionId: string | null;
  /** That session as it is now; null for the operator, and where a retry may be given its answer after the session has ended. */
  session: Session | null;
  /** Whether a retry of the call must find the first one's answer. */
  isIdempotent: boolean;
  revision: Revision;
  /** Names of Haldir's own tools, which mean nothing else here. */
  taken: readonly string[];
  /** Runs what changes something: in one transaction, once per `Idempotency-Key`. */
  write: <Body>(work: (tx: Tx) => Promise<Body | Answer<Body>>) => Promise<Body | Answer<Body>>;
}

/** Agents act in a session, operators by their key alone; a searcher is an agent that searches the tools of upstreams. */
export type Audience = 'agent' | 'operator' | 'searcher';

/** A tool of Haldir's own: what an operation of the REST API does, for agents. */
export interface OwnTool<Input extends z.ZodObject = z.ZodObject, Body extends object = object> {
  /** As the REST operation is called. */
  name: string;
  title: string;
  description: string;
  audience: readonly Audience[];
  /** Any of them is enough for a key, as for the REST operation. */
  scopes: readonly [KeyScope, ...KeyScope[]];
  /** Whether it takes agent keys, too: every other one is closed to them. */
  openToAgents?: true;
  readOnly: boolean;
  /** In a session, its `session_id` is the session's own and is not asked for. */
  input: Input;
  output: z.ZodType<Body>;
  run(args: z.output<Input>, call: OwnCall): Promise<Body | Answer<Body>>;
}

/** Checks that a tool's parts fit together. */
export function ownTool<Input extends z.ZodObject, Body extends object>(tool: OwnTool<Input, Body>): OwnTool {
  return tool;
}

/** What a domain offers. */
export interface OwnTools {
  readonly tools: readonly OwnTool[];
}

/** The tool's definition in MCP's terms, as JSON text. */
export function definitionOf(tool: OwnTool, audience: Audience): string {
  const { name, title, description, readOnly } = tool;
  const input = schemaOf(tool.input, 'input');
  return JSON.stringify({
    name,
    title,
    description,
    inputSchema: { type: 'object', ...(audience === 'operator' ? input : withoutSession(input)) },
    outputSchema: { type: 'object', ...schemaOf(tool.output, 'output') },
    annotations: { title, readOnlyHint: readOnly, destructiveHint: false, openWorldHint: false },
  });
}

/** The members of a JSON Schema. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const written = mapObjects(z.toJSONSchema(schema, { io, unrepresentable: 'any' }), withoutNoise) as Json;
  const { $schema: _, id: __, ...rest } = written;
  return rest;
}

function withoutSession(schema: Json): Json {
  const { session_id: _, ...properties } = isObject(schema['properties']) ? schema['properties'] : {};
  const required = (schema['required'] as string[] | undefined)?.filter((name) => name !== 'session_id');
  return { ...schema, properties, ...(required === undefined ? {} : { required }) };
}
