import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { serveHttp, type Upstream } from '@haldir/test-support';

const STATELESS_VERSION = '2026-07-28';

type Arguments = Record<string, unknown>;

/**
 * An upstream that gives back what it was sent, in many forms: by its tools, its prompt `say`, at `echo:<header>/<form>`, in
 * completions and in the descriptions of its lists.
 */
export interface EchoingUpstream extends Upstream {
  /** Everything it was asked to do, and with which headers. */
  readonly calls: { tool: string; arguments: Arguments; headers: IncomingHttpHeaders; requestState?: string }[];
  /** Headers of all requests. */
  readonly seen: IncomingHttpHeaders[];
  /** Requests that are answered with a 401. */
  refuses: (headers: IncomingHttpHeaders) => boolean;
}

interface Message {
  id?: number;
  method?: string;
  params?: Params;
}
interface Params {
  name?: string;
  uri?: string;
  arguments?: Arguments;
  requestState?: string;
  _meta?: { progressToken?: string };
}
interface Block {
  text?: string;
  resource?: object;
}

const hex = (value: string): string => Buffer.from(value).toString('hex');
const block = (value: string): object => ({ content: [{ type: 'text', text: value }] });

/** How a value comes back: a result, or an error of JSON-RPC. */
export const FORMS: Record<string, (value: string) => object> = {
  raw: (value) => block(`you said ${value}!`),
  JSON: (value) => block(JSON.stringify({ said: value })),
  'JSON in JSON': (value) => block(JSON.stringify(JSON.stringify({ said: value }))),
  base64: (value) => block(Buffer.from(value).toString('base64')),
  'base64, one byte on': (value) => block(Buffer.from(`:${value}`).toString('base64')),
  'base64, two bytes on': (value) => block(Buffer.from(`u:${value}`).toString('base64')),
  base64url: (value) => block(Buffer.from(`?${value}`).toString('base64url')),
  hex: (value) => block(hex(value)),
  'upper-case hex': (value) => block(hex(value).toUpperCase()),
  'URL-encoded': (value) => block(`?q=${encodeURIComponent(value)}`),
  'lower-case URL-encoded': (value) => block(hex(value).replace(/../g, '%$&')),
  'form-encoded': (value) => block(new URLSearchParams({ q: value }).toString()),
  'URL-encoded twice': (value) => block(encodeURIComponent(encodeURIComponent(value))),
  'structured content': (value) => ({ content: [], structuredContent: { said: [value], [value]: 1 } }),
  'a blob': (value) => ({
    content: [
      { type: 'resource', resource: { uri: 'a:b', blob: Buffer.from(`{"said":"${value}"}`).toString('base64') } },
    ],
  }),
  'two blocks': (value) => ({
    content: [value.slice(0, 9), value.slice(9)].map((half) => ({ type: 'text', text: half })),
  }),
  'an error of the tool': (value) => ({ ...block(value), isError: true }),
  'an error': (value) => ({ error: { code: -32602, message: `no: ${value}`, data: { said: value } } }),
  'an error cut within the value': (value) => ({ error: { code: -32602, message: 'x'.repeat(990) + value } }),
};

/** What a tool asks before it answers. */
function asking(value: string): object {
  const question = (said: string): object => ({
    method: 'elicitation/create',
    params: {
      message: said,
      requestedSchema: { type: 'object', properties: { sure: { type: 'boolean', description: said } } },
    },
  });
  return {
    resultType: 'input_required',
    inputRequests: { one: question(`is it ${value}?`), two: question(hex(value)) },
    requestState: `after ${value}`,
  };
}

/** @param answers as one JSON text, or as an event stream that is sent in pieces, after progress */
export async function startEchoingUpstream(version: string, answers: 'json' | 'sse'): Promise<EchoingUpstream> {
  const upstream: Omit<EchoingUpstream, keyof Upstream> = {
    calls: [],
    seen: [],
    refuses: () => false,
  };
  const isStateless = version === STATELESS_VERSION;
  const capabilities = { tools: {}, resources: {}, prompts: {}, completions: {} };
  const tools = ['echo', 'other'].map((name) => ({ name, inputSchema: { type: 'object' } }));

  const echo = (value: unknown, form: unknown): object =>
    FORMS[typeof form === 'string' ? form : 'raw']?.(String(value)) ?? {};
  const answerTo = (method: string, params: Params, headers: IncomingHttpHeaders): object | null => {
    const value = String(headers['authorization']);
    const { header = '', as } = params.arguments ?? {};
    const [place = '', form = ''] = String(params.uri).slice('echo:'.length).split('/').map(decodeURIComponent);
    /** A form's blocks, as the members of another answer. */
    const inPlaceOf = (echoed: object, answer: (blocks: Block[]) => object): object => {
      const { content = [], ...rest } = echoed as { content?: Block[] };
      return 'error' in rest ? rest : { ...rest, ...answer(content) };
    };
    switch (method) {
      case 'resources/list':
        return { resources: [{ uri: 'echo:nothing', name: value }] };
      case 'resources/templates/list':
        return { resourceTemplates: [{ uriTemplate: 'echo:{header}/{form}', name: 'echo', description: value }] };
      case 'prompts/list':
        return { prompts: [{ name: 'say', description: value }] };
      case 'resources/read':
        return inPlaceOf(echo(headers[place], form), (blocks) => ({
          contents: blocks.map(({ text: said, resource }) => resource ?? { uri: 'echo:nothing', text: said }),
        }));
      case 'prompts/get':
        return inPlaceOf(echo(headers[String(header)], as), (blocks) => ({
          messages: blocks.map((content) => ({ role: 'user', content })),
        }));
      case 'completion/complete':
        return { completion: { values: [value, hex(value), Buffer.from(`:${value}`).toString('base64')] } };
      default:
        return null;
    }
  };

  const outcomeOf = ({ method, params = {} }: Message, headers: IncomingHttpHeaders): object => {
    if (method === 'server/discover' && isStateless)
      return { result: { supportedVersions: [version], capabilities, resultType: 'complete' } };
    if (method === 'initialize' && !isStateless)
      return {
        result: { protocolVersion: version, capabilities, serverInfo: { name: 'e', version: '1' } },
      };
    if (method === 'tools/list') return { result: { tools, resultType: 'complete' } };
    if (method !== 'tools/call') {
      const made = answerTo(String(method), params, headers) ?? {
        error: { code: -32601, message: 'Method not found' },
      };
      return 'error' in made ? made : { result: { ...made, resultType: 'complete' } };
    }
    const { arguments: args = {}, requestState } = params;
    upstream.calls.push({
      ...{ tool: params.name ?? '', arguments: args, headers },
      ...(requestState === undefined ? {} : { requestState }),
    });
    const value = typeof args['header'] === 'string' ? headers[args['header']] : args['value'];
    if (args['asks'] === true && requestState === undefined) return { result: asking(String(value)) };
    const made = echo(value, args['as']);
    return 'error' in made ? made : { result: { ...made, resultType: 'complete' } };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    upstream.seen.push(request.headers);
    const message = JSON.parse((await text(request)) || '{}') as Message;
    if (request.method !== 'POST' || message.id === undefined) {
      response.writeHead(request.method === 'POST' ? 202 : 405).end();
      return;
    }
    if (upstream.refuses(request.headers)) {
      response.writeHead(401).end();
      return;
    }
    if (message.method === 'initialize') response.setHeader('mcp-session-id', randomUUID());
    const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...outcomeOf(message, request.headers) });
    if (answers === 'json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const value = String(message.params?.arguments?.['value']);
    const progressToken = message.params?._meta?.progressToken;
    if (progressToken !== undefined) {
      for (const [progress, half] of [value.slice(0, 9), value.slice(9), value].entries()) {
        const notification = {
          method: 'notifications/progress',
          params: { progressToken, progress, total: 3, message: half },
        };
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...notification })}\n\n`);
      }
    }
    // One event in two pieces, divided within the value.
    const event = Buffer.from(`event: message\ndata: ${answer}\n\n`);
    const middle = Math.max(1, event.indexOf(value.slice(0, 12)) + 6);
    response.write(event.subarray(0, middle));
    setTimeout(() => response.end(event.subarray(middle)), 20);
  };

  return Object.assign(upstream, await serveHttp((request, response) => void serve(request, response)));
}
