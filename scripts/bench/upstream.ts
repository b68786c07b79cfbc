// A trivial MCP server: JSON answers, no session, one tool, or as many as its address says (`?tools=25`), and answers as long as that
// says (`?fill=1000`).
import http from 'node:http';
import { listen, serve } from './child.js';

const TOOL = {
  name: 'echo',
  description: 'Answers what it was given',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
};

const server = http.createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    const { id, method, params } = JSON.parse(text || '{}');
    if (request.method !== 'POST') return response.writeHead(405).end();
    if (id === undefined) return response.writeHead(202).end();
    const { searchParams: asked } = new URL(request.url ?? '', 'http://localhost');
    const extent = { tools: Number(asked.get('tools') ?? 1), fill: Number(asked.get('fill') ?? 0) };
    const body = JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params, extent) });
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      .end(body);
  });
});

/** @param extent how many tools there are, and how many letters an answer has, if not the message */
function answer(method: string, params: any, { tools, fill }: { tools: number; fill: number }) {
  switch (method) {
    case 'initialize':
      return {
        result: {
          protocolVersion: params?.protocolVersion ?? '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: 'bench', version: '1.0.0' },
        },
      };
    case 'ping':
      return { result: {} };
    case 'tools/list':
      return {
        result: { tools: [TOOL, ...Array.from({ length: tools - 1 }, (_, n) => ({ ...TOOL, name: `echo-${n}` }))] },
      };
    case 'tools/call':
      return {
        result: {
          content: [{ type: 'text', text: fill > 0 ? 'a'.repeat(fill) : String(params?.arguments?.message ?? '') }],
        },
      };
    default:
      return { error: { code: -32601, message: 'Method not found' } };
  }
}

serve({ port: await listen(server) }, () => ({}));
