import { VERSION } from '@haldir/kernel';

/** The stateless revision: every request stands alone. */
export const STATELESS_VERSION = '2026-07-28';

/** Revisions with an `initialize` handshake, newest first. */
export const HANDSHAKE_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

export const CLIENT_INFO = { name: 'haldir', version: VERSION } as const;

/** How an upstream wants to be spoken to. */
export type UpstreamEra =
  | { readonly kind: 'stateless' }
  | { readonly kind: 'handshake'; readonly version: string; readonly sessionId: string | null }
  | { readonly kind: 'plain' };

export type JsonObject = Record<string, unknown>;

/** A tool as its upstream describes it. What Haldir does not read is kept as it came. */
export interface UpstreamTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly annotations?: JsonObject;
  readonly [member: string]: unknown;
}

/** A tool's own answer, as it came. `isError` is the tool's verdict, not a failure of the call. */
export interface UpstreamToolResult {
  readonly content: readonly unknown[];
  readonly isError?: boolean;
  readonly structuredContent?: unknown;
  readonly [member: string]: unknown;
}

/** How far a call has come, in the upstream's own words. */
export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** What a progress notification for `token` says; null when it is none, or not one of these. */
export function progressOf(message: JsonObject, token: string): Progress | null {
  const { method, params } = message;
  if (method !== 'notifications/progress' || !isObject(params) || params['progressToken'] !== token) return null;
  const { progress, total, message: text } = params;
  if (typeof progress !== 'number') return null;
  return {
    progress,
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof text === 'string' ? { message: text } : {}),
  };
}

/** One `x-mcp-header` declaration: the argument at `path` is mirrored to the header `name`. */
export interface MirroredArgument {
  readonly name: string;
  readonly path: readonly string[];
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const STATELESS_META = {
  'io.modelcontextprotocol/protocolVersion': STATELESS_VERSION,
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
} as const;

/** The params as `era` wants them on the wire. */
export function paramsFor(era: UpstreamEra, params: JsonObject): JsonObject {
  if (era.kind !== 'stateless') return params;
  return { ...params, _meta: { ...(isObject(params['_meta']) ? params['_meta'] : {}), ...STATELESS_META } };
}

/** The headers `era` wants for a message; `name` is what the call is about (a tool), where the method has such a thing. */
export function headersFor(era: UpstreamEra, method: string, name?: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  if (era.kind === 'stateless') {
    headers['mcp-protocol-version'] = STATELESS_VERSION;
    headers['mcp-method'] = method;
    if (name !== undefined) headers['mcp-name'] = headerValue(name);
  } else if (era.kind === 'handshake') {
    headers['mcp-protocol-version'] = era.version;
    if (era.sessionId !== null) headers['mcp-session-id'] = era.sessionId;
  }
  return headers;
}

/** A text as a header field: as it is when that is safe ASCII, else in the specification's Base64 form. */
export function headerValue(text: string): string {
  const isPlain =
    /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='));
  return isPlain ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

/** What a tool's schema declares with `x-mcp-header`, along chains of `properties`; at most 64 declarations, 16 deep. */
export function mirroredArguments(schema: JsonObject): MirroredArgument[] {
  const found: MirroredArgument[] = [];
  const visit = (node: unknown, path: readonly string[]): void => {
    if (!isObject(node) || path.length > 16 || found.length >= 64) return;
    const name = node['x-mcp-header'];
    if (path.length > 0 && typeof name === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/.test(name))
      found.push({ name, path });
    if (isObject(node['properties'])) {
      for (const [key, child] of Object.entries(node['properties'])) visit(child, [...path, key]);
    }
  };
  visit(schema, []);
  return found;
}

/** The `Mcp-Param-*` headers for a call; absent, null and non-primitive arguments have none. */
export function mirrorHeaders(declarations: readonly MirroredArgument[], args: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { name, path } of declarations) {
    let value: unknown = args;
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (typeof value === 'string') headers[`mcp-param-${name.toLowerCase()}`] = headerValue(value);
    else if (typeof value === 'boolean' || Number.isSafeInteger(value))
      headers[`mcp-param-${name.toLowerCase()}`] = String(value);
  }
  return headers;
}
