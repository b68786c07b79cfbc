// @ts-check
// An MCP server on standard streams on the official server library, of every revision, whose tool asks a question before it answers.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

serveStdio(() => {
  const server = new McpServer({ name: 'official', version: '1.0.0' });
  server.registerTool('greet', { inputSchema: z.object({}) }, (_, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.['name'];
    if (answer !== undefined) return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
    const requestedSchema = { type: /** @type {const} */ ('object'), properties: { name: { type: 'string' } } };
    const params = { mode: 'form', message: 'What is your name?', requestedSchema };
    return /** @type {any} */ ({
      resultType: 'input_required',
      inputRequests: { name: { method: 'elicitation/create', params } },
    });
  });
  return server;
});
