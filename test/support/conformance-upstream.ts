import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  type CallToolResult,
  createMcpHandler,
  type ServerContext,
  Server,
  type Tool,
} from '@modelcontextprotocol/server';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

interface Fixture {
  tool: Omit<Tool, 'name' | 'inputSchema'> & { inputSchema?: Tool['inputSchema'] };
  answer: (context: ServerContext) => CallToolResult | Promise<CallToolResult>;
}

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });

/** The tools that the official conformance suite looks for in a server. */
const FIXTURES: Record<string, Fixture> = {
  test_simple_text: {
    tool: { description: 'Answers a text' },
    answer: () => text('This is a simple text response for testing.'),
  },
  test_image_content: {
    tool: { description: 'Answers an image' },
    answer: () => ({ content: [{ type: 'image', data: PIXEL, mimeType: 'image/png' }] }),
  },
  test_audio_content: {
    tool: { description: 'Answers a sound' },
    answer: () => ({ content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }] }),
  },
  test_embedded_resource: {
    tool: { description: 'Answers a resource' },
    answer: () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    }),
  },
  test_multiple_content_types: {
    tool: { description: 'Answers several blocks' },
    answer: () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PIXEL, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}',
          },
        },
      ],
    }),
  },
  test_error_handling: {
    tool: { description: 'Always fails' },
    answer: () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }),
  },
  test_tool_with_progress: {
    tool: { description: 'Says how far it is' },
    answer: async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
        await pause(50);
      }
      return text('done');
    },
  },
  json_schema_2020_12_tool: {
    tool: {
      description: 'Has a schema with much of JSON Schema 2020-12 in it',
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: {
          address: {
            $anchor: 'addressDef',
            type: 'object',
            properties: { street: { type: 'string' }, city: { type: 'string' } },
          },
        },
        properties: {
          name: { type: 'string' },
          address: { $ref: '#/$defs/address' },
          contactMethod: { type: 'string', enum: ['phone', 'email'] },
          phone: { type: 'string' },
          email: { type: 'string' },
        },
        allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
        if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
        then: { required: ['phone'] },
        else: { required: ['email'] },
        additionalProperties: false,
      },
    },
    answer: () => text('ok'),
  },
  test_x_mcp_header: {
    tool: {
      description: 'Wants an argument repeated as a header',
      inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
    },
    answer: () => text('ok'),
  },
  test_streaming_elicitation: { tool: { description: 'Answers at once' }, answer: () => text('ok') },
  test_logging_tool: { tool: { description: 'Logs nothing unless it is asked to' }, answer: () => text('ok') },
};

/** An upstream with the tools of the official conformance suite. */
export async function startConformanceUpstream(): Promise<{ url: string; stop(): Promise<void> }> {
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'conformance', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({
      tools: Object.entries(FIXTURES).map(([name, { tool }]) => ({
        ...{ name, inputSchema: { type: 'object' as const } },
        ...tool,
      })),
    }));
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const fixture = FIXTURES[params.name];
      return fixture ? fixture.answer(context) : { ...text(`Unknown tool ${params.name}`), isError: true };
    });
    return server;
  });
  const server = createServer((request, response) => void toNodeHandler(handler)(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    stop: async () => {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
