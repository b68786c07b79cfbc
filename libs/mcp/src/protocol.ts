import { isNumber, JsonNumber } from '@haldir/kernel';

/** The stateless revision: every request stands alone. */
export const STATELESS_VERSION = '2026-07-28';

/** Revisions with an `initialize` handshake, newest first. */
export const HANDSHAKE_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** Members of `_meta` by which requests of the stateless revision say what a handshake says once. */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
} as const;

/**
 * Of Haldir's own, in `_meta` of `initialize`: what the server may ask of whoever calls it, as `capabilities.elicitation` has it. A
 * connector takes it up that puts all that its server asks on the stream of a call; nobody else reads it.
 */
export const ELICITATION_META = 'haldir/elicitation';

/** Of JSON-RPC: the one who was asked has no such method. */
export const METHOD_NOT_FOUND = -32601;
/** Of JSON-RPC: what is asked about is not there, or not as the method takes it. */
export const INVALID_PARAMS = -32602;
/** The extension by which a call may go on as a task (SEP-2663). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

/** Of a request; echoed as it was written. */
export type RequestId = string | number | JsonNumber;

/** The id in a member of a message; null for what can be none. */
export function requestIdIn(value: unknown): RequestId | null {
  return typeof value === 'string' || isNumber(value) ? value : null;
}
