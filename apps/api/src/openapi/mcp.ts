import { type Json } from '@haldir/http';

const message = (description: string, example: Json): Json => ({
  schema: { type: 'object', description, additionalProperties: true },
  example,
});

const ECHO = { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'Echo: hello' }] } };

/** The MCP endpoint, as far as OpenAPI can say it: what is in the messages is said by the Model Context Protocol. */
export const MCP_PATH: Record<string, Json> = {
  post: {
    operationId: 'mcp',
    tags: ['proxy'],
    summary: 'The MCP server for agents',
    description:
      'Streamable HTTP of the Model Context Protocol, revisions 2024-11-05 to 2026-07-28: the tools, resources and prompts of every upstream, less what policies block, and tools of Haldir itself. With X-Session-ID it acts for the agent of that session; clients of MCP do all of it, given this address and the key. Every call is decided and logged as one to proxyCall.',
    parameters: [
      {
        name: 'X-Session-ID',
        in: 'header',
        required: false,
        schema: { type: 'string' },
        description: 'The session that is acted in; without it an operator key has the tools of the operator',
      },
      {
        name: 'MCP-Protocol-Version',
        in: 'header',
        required: false,
        schema: { type: 'string' },
        description: 'The revision that the client speaks',
      },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': message('A JSON-RPC request or notification of MCP, or a list of them', {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'everything__echo', arguments: { message: 'hello' } },
        }),
      },
    },
    responses: {
      200: {
        description: 'The JSON-RPC answer, alone or as the last event of a stream',
        content: {
          'application/json': message('A JSON-RPC response', ECHO),
          'text/event-stream': {
            schema: { type: 'string' },
            example: `event: message\ndata: ${JSON.stringify(ECHO)}\n\n`,
          },
        },
      },
      202: { description: 'Nothing to answer: notifications' },
      401: { $ref: '#/components/responses/Unauthorized' },
      403: { $ref: '#/components/responses/Forbidden' },
      429: { $ref: '#/components/responses/RateLimited' },
    },
  },
};
