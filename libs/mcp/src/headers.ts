import { exactNumber } from '@haldir/kernel';
import { isObject, type JsonObject } from './protocol.js';

/** What a text is sent as when it is not safe ASCII. */
const BASE64_FORM = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** A text as a header field: as it is when that is safe ASCII, else in the specification's Base64 form. */
export function headerValue(text: string): string {
  const isPlain =
    /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='));
  return isPlain ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

/** The text that a header field stands for; null when it claims to be Base64 of UTF-8 and is not. */
export function decodedHeader(field: string): string | null {
  const [, encoded] = BASE64_FORM.exec(field) ?? [];
  if (encoded === undefined) return field.startsWith('=?base64?') && field.endsWith('?=') ? null : field;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** What a request is about: the parameter that `Mcp-Name` repeats, and its value; null where there is no such thing. */
export function subjectOf(method: string, params: JsonObject): { parameter: string; value: string } | null {
  const parameter = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined;
  const value = parameter === undefined ? undefined : params[parameter];
  return parameter === undefined || typeof value !== 'string' ? null : { parameter, value };
}

/** One `x-mcp-header` declaration: the argument at `path` is mirrored to the header `name`. */
export interface MirroredArgument {
  readonly name: string;
  readonly path: readonly string[];
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
    // Not every peer can read fractions, and integers beyond a double's.
    const said = typeof value === 'boolean' ? value : exactNumber(value);
    if (typeof value === 'string') headers[`mcp-param-${name.toLowerCase()}`] = headerValue(value);
    else if (typeof said === 'boolean' || Number.isSafeInteger(said))
      headers[`mcp-param-${name.toLowerCase()}`] = String(said);
  }
  return headers;
}
