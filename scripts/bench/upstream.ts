// A trivial MCP server: JSON answers, no session (or with `?sessions=true` one for each who asks), one tool, or as many as its address says
// (`?tools=25`), and answers as long as that says (`?fill=1000`); with `?described=true` its tools have names and definitions as long as those
// of others.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { answer } from './answer.js';
import { listen, serve } from './child.js';

const server = http.createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    const { id, method, params } = JSON.parse(text || '{}');
    const { searchParams: asked } = new URL(request.url ?? '', 'http://localhost');
    const hasSessions = asked.get('sessions') === 'true';
    if (hasSessions && request.method === 'DELETE') return response.writeHead(200).end();
    if (request.method !== 'POST') return response.writeHead(405).end();
    if (id === undefined) return response.writeHead(202).end();
    const extent = {
      tools: Number(asked.get('tools') ?? 1),
      isDescribed: asked.get('described') === 'true',
      fill: Number(asked.get('fill') ?? 0),
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params, extent) });
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(hasSessions && method === 'initialize' ? { 'mcp-session-id': randomUUID() } : {}),
      })
      .end(body);
  });
});

serve({ port: await listen(server) }, () => ({}));
