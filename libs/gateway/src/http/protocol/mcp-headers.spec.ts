import { checkHeaders, repeats } from './mcp-headers.js';
import { RpcError } from './messages.js';

describe('headers that repeat arguments', () => {
  const expected = { 'mcp-param-region': 'eu', 'mcp-param-count': '42', 'mcp-param-name': '=?base64?w6Q=?=' };
  const sent = { 'mcp-param-region': 'eu', 'mcp-param-count': '42.0', 'mcp-param-name': '=?base64?w6Q=?=' };

  it('do so in their own way of writing, and whatever else is sent', () => {
    expect(repeats({ ...sent, 'mcp-param-other': 'x' }, expected)).toBe(true);
  });

  it.each(Object.keys(expected))('do not when %s is missing, or says something else', (name) => {
    expect(repeats({ ...sent, [name]: undefined }, expected)).toBe(false);
    expect(repeats({ ...sent, [name]: 'us' }, expected)).toBe(false);
    expect(repeats({ ...sent, [name]: '=?base64?%?=' }, expected)).toBe(false);
  });
});

it('asks for the name of what a request is about only where it has one', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' };
  const request = { id: 1, method: 'tools/call', params: { name: 'x' } };
  expect(() => checkHeaders(headers, request)).toThrow(RpcError);
  expect(() => checkHeaders({ ...headers, 'mcp-name': 'x' }, request)).not.toThrow();
  expect(() => checkHeaders(headers, { ...request, params: {} })).not.toThrow();
  expect(() =>
    checkHeaders({ ...headers, 'mcp-method': 'constructor' }, { ...request, method: 'constructor' }),
  ).not.toThrow();
});
