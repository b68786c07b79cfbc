import { NO_SUCH_METHOD, rpcListener, type RpcQuestion, serveHttp, type Upstream } from './upstream-server.js';

/** An upstream with a handshake that has resources and prompts. Change what it has and answers as the test goes on. */
export interface ResourceUpstream extends Upstream {
  /** Methods in the order they were asked, but for the handshake. */
  readonly asked: string[];
  tools: Record<string, unknown>[];
  resources: Record<string, unknown>[];
  templates: Record<string, unknown>[];
  prompts: Record<string, unknown>[];
  capabilities: Record<string, object>;
  /** Addresses that its tool and its prompts link to. */
  links: string[];
  /** Answers nothing to these. */
  silent: string[];
}

export async function startResourceUpstream(label: string): Promise<ResourceUpstream> {
  const resultOf = ({ method, params }: RpcQuestion): object | null => {
    switch (method) {
      case 'initialize': {
        const { capabilities } = upstream;
        return { protocolVersion: params['protocolVersion'], capabilities, serverInfo: { name: label, version: '1' } };
      }
      case 'tools/list':
        return { tools: upstream.tools };
      case 'resources/list':
        return { resources: upstream.resources };
      case 'resources/templates/list':
        return { resourceTemplates: upstream.templates };
      case 'prompts/list':
        return { prompts: upstream.prompts };
      case 'resources/read':
        return { contents: [{ uri: params['uri'], text: `${label} has ${String(params['uri'])}` }] };
      case 'prompts/get': {
        const said = `${label} says ${String(params['name'])} ${JSON.stringify(params['arguments'])}`;
        const contents = [{ type: 'text', text: said }, ...links()];
        return { messages: contents.map((content) => ({ role: 'user', content })) };
      }
      case 'tools/call':
        return { content: links() };
      case 'completion/complete':
        return { completion: { values: [JSON.stringify(params['ref'])] } };
      default:
        return null;
    }
  };
  const links = (): object[] => upstream.links.map((uri) => ({ type: 'resource_link', uri, name: 'linked' }));
  const served = await serveHttp(
    rpcListener((question) => {
      if (!['initialize', 'server/discover'].includes(question.method)) upstream.asked.push(question.method);
      if (upstream.silent.includes(question.method)) return null;
      const result = resultOf(question);
      return result ? { result } : NO_SUCH_METHOD;
    }),
  );
  const upstream: ResourceUpstream = {
    ...served,
    asked: [],
    tools: [{ name: 'noop', inputSchema: { type: 'object' } }],
    resources: [{ uri: `doc://${label}/one`, name: 'One' }],
    templates: [{ uriTemplate: `doc://${label}/page/{n}`, name: 'Page' }],
    prompts: [{ name: 'greet', description: `Greets from ${label}` }],
    capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
    links: [],
    silent: [],
  };
  return upstream;
}
