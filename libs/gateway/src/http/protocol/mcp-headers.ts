import { HEADER_MISMATCH, RpcError, type RpcRequest } from './messages.js';

/** What a text may be sent as when it is not safe ASCII. */
const BASE64_FORM = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

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

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

/** Which parameter `Mcp-Name` repeats, by method. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/**
 * The headers that every request of the stateless revision repeats from its body, so that those on the way need not read it.
 *
 * @throws RpcError when one is missing or says something else
 */
export function checkHeaders(headers: Headers, { method, params }: RpcRequest): void {
  if (headerOf(headers, 'mcp-protocol-version') === undefined) throw mismatch('MCP-Protocol-Version: expected');
  if (headerOf(headers, 'mcp-method') !== method) throw mismatch('Mcp-Method: expected the method of the body');
  const parameter = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined;
  const named = parameter === undefined ? undefined : params[parameter];
  if (parameter === undefined || typeof named !== 'string') return;
  const header = headerOf(headers, 'mcp-name');
  if (header === undefined || decodedHeader(header) !== named)
    throw mismatch(`Mcp-Name: expected params.${parameter} of the body`);
}

/** Whether headers say what is expected of them; a number may be written in another way. */
export function repeats(headers: Headers, expected: Readonly<Record<string, string>>): boolean {
  return Object.entries(expected).every(([name, field]) => {
    const sent = headerOf(headers, name);
    const said = sent === undefined ? null : decodedHeader(sent);
    if (said === null) return false;
    const wanted = decodedHeader(field);
    return said === wanted || (isDecimal(said) && isDecimal(wanted ?? '') && Number(said) === Number(wanted));
  });
}

function isDecimal(text: string): boolean {
  return /^-?\d{1,300}(\.\d{1,300})?$/.test(text);
}

function mismatch(message: string): RpcError {
  return new RpcError(HEADER_MISMATCH, message, { status: 400 });
}
