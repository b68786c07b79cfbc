import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An upstream with a handshake that has resources and prompts. Change what it has and answers as the test goes on. */
export interface ResourceUpstream {
  readonly url: string;
  /** Methods in the order they were asked, but for the handshake. */
  readonly asked: string[];
  resources: Record<string, unknown>[];
  templates: Record<string, unknown>[];
  prompts: Record<string, unknown>[];
  capabilities: Record<string, object>;
  /** Answers nothing to these. */
  silent: string[];
  stop(): Promise<void>;
}

interface Message {
  id?: number;
  method: string;
  params?: { protocolVersion?: string; uri?: string; name?: string; arguments?: object; ref?: object };
}

export async function startResourceUpstream(label: string): Promise<ResourceUpstream> {
  const resultOf = ({ method, params = {} }: Message): object | null => {
    switch (method) {
      case 'initialize': {
        const { capabilities } = upstream;
        return { protocolVersion: params.protocolVersion, capabilities, serverInfo: { name: label, version: '1' } };
      }
      case 'tools/list':
        return { tools: [{ name: 'noop', inputSchema: { type: 'object' } }] };
      case 'resources/list':
        return { resources: upstream.resources };
      case 'resources/templates/list':
        return { resourceTemplates: upstream.templates };
      case 'prompts/list':
        return { prompts: upstream.prompts };
      case 'resources/read':
        return { contents: [{ uri: params.uri, text: `${label} has ${params.uri}` }] };
      case 'prompts/get': {
        const said = `${label} says ${params.name} ${JSON.stringify(params.arguments)}`;
        return { messages: [{ role: 'user', content: { type: 'text', text: said } }] };
      }
      case 'completion/complete':
        return { completion: { values: [JSON.stringify(params.ref)] } };
      default:
        return null;
    }
  };
  const answer = (message: Message, response: ServerResponse): void => {
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    if (!['initialize', 'server/discover'].includes(message.method)) upstream.asked.push(message.method);
    if (upstream.silent.includes(message.method)) return;
    const result = resultOf(message);
    const body = result ? { result } : { error: { code: -32601, message: 'Method not found' } };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...body }));
  };
  const server = createServer((request, response) => {
    if (request.method !== 'POST') response.writeHead(405).end();
    else void text(request).then((body) => answer(JSON.parse(body) as Message, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: ResourceUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    asked: [],
    resources: [{ uri: `doc://${label}/one`, name: 'One' }],
    templates: [{ uriTemplate: `doc://${label}/page/{n}`, name: 'Page' }],
    prompts: [{ name: 'greet', description: `Greets from ${label}` }],
    capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
    silent: [],
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return upstream;
}
