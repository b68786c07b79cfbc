import { decodedHeader, subjectOf } from '@haldir/mcp';
import { HEADER_MISMATCH, RpcError, type RpcRequest } from './messages.js';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

/**
 * The headers that every request of the stateless revision repeats from its body, so that those on the way need not read it.
 *
 * @throws RpcError when one is missing or says something else
 */
export function checkHeaders(headers: Headers, { method, params }: RpcRequest): void {
  if (headerOf(headers, 'mcp-protocol-version') === undefined) throw mismatch('MCP-Protocol-Version: expected');
  if (headerOf(headers, 'mcp-method') !== method) throw mismatch('Mcp-Method: expected the method of the body');
  const subject = subjectOf(method, params);
  const name = headerOf(headers, 'mcp-name');
  if (subject && (name === undefined || decodedHeader(name) !== subject.value))
    throw mismatch(`Mcp-Name: expected params.${subject.parameter} of the body`);
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
