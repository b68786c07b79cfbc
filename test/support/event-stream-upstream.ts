import { type IncomingMessage, type ServerResponse } from 'node:http';
import { text as bodyOf } from 'node:stream/consumers';
import { NO_SUCH_METHOD, type RpcAnswer, type RpcQuestion, serveHttp, type Upstream } from './upstream-server.js';

/** An upstream that speaks the transport "HTTP with SSE" of revision 2024-11-05, with a session for each stream. */
export interface EventStreamUpstream extends Upstream {
  /** What came, in order: `POST /sse server/discover`, `GET /sse`, `POST /message tools/call`, … */
  readonly seen: string[];
  /** Calls of tools that came, and those that were cancelled, by the ids of their requests. */
  readonly calls: { tool: string; id: number; session: string; progressToken?: string | undefined }[];
  readonly cancelled: unknown[];
  /** Headers of the last message. */
  headers: IncomingMessage['headers'];
  /** Streams that are open, by their session. */
  readonly streams: ReadonlyMap<string, ServerResponse>;
  /** What a stream names as its endpoint. */
  endpoint: (session: string) => string;
  /** How a message is taken. */
  status: number;
  /** Sends what it has to say to one on every stream, as supergateway does. */
  broadcasts: boolean;
  /** Sends an event on every stream. */
  say(event: string): void;
  /** Ends every stream. */
  cut(): void;
  /** Tools that are offered: `echo`, `count` (tells its progress), `wait` (for ever), `die` (ends every stream). */
  tools: string[];
}

export const eventOf = (message: object): string =>
  `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;

export async function startEventStreamUpstream(): Promise<EventStreamUpstream> {
  const streams = new Map<string, ServerResponse>();
  let begun = 0;
  const open = (response: ServerResponse): void => {
    const session = `s${++begun}`;
    streams.set(session, response);
    response.once('close', () => streams.delete(session));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: endpoint\ndata: ${up.endpoint(session)}\n\n`);
  };

  const tell = (session: string, event: string): void =>
    up.broadcasts ? up.say(event) : void streams.get(session)?.write(event);

  const call = async ({ id = 0, params }: RpcQuestion, session: string): Promise<RpcAnswer> => {
    const { name, arguments: args = {}, _meta: meta = {} } = params as { name: string } & Record<string, object>;
    const { progressToken } = meta as { progressToken?: string };
    up.calls.push({ tool: name, id, session, progressToken });
    if (name === 'wait') return null;
    if (name === 'die') {
      up.cut();
      return null;
    }
    for (let progress = 1; name === 'count' && progress <= 3; progress++) {
      const told = { progressToken, progress, total: 3, message: `at ${progress}` };
      if (progressToken !== undefined) tell(session, eventOf({ method: 'notifications/progress', params: told }));
    }
    return { result: { content: [{ type: 'text', text: name === 'echo' ? JSON.stringify(args) : name }] } };
  };

  const answer = (question: RpcQuestion, session: string): RpcAnswer | Promise<RpcAnswer> => {
    const { method, params } = question;
    const serverInfo = { name: 'streaming', version: '1.0.0' };
    if (method === 'initialize')
      return {
        result: { protocolVersion: '2024-11-05', capabilities: { tools: { listChanged: true } }, serverInfo },
      };
    if (method === 'notifications/cancelled') up.cancelled.push(params['requestId']);
    if (method === 'tools/list')
      return { result: { tools: up.tools.map((name) => ({ name, inputSchema: { type: 'object' } })) } };
    return method === 'tools/call' ? call(question, session) : NO_SUCH_METHOD;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://up');
    const body = await bodyOf(request);
    const message = body === '' ? null : (JSON.parse(body) as RpcQuestion);
    up.seen.push([request.method, pathname, message?.method].filter(Boolean).join(' '));
    if (request.method === 'GET' && pathname === '/sse') return open(response);
    const session = searchParams.get('session') ?? '';
    if (request.method !== 'POST' || pathname !== '/message' || !streams.has(session) || !message) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Cannot do that');
      return;
    }
    up.headers = request.headers;
    response.writeHead(up.status).end('Accepted');
    if (up.status > 299) return;
    const answered = await answer({ ...message, params: message.params ?? {} }, session);
    if (answered === null || answered === 'drop' || message.id === undefined) return;
    tell(session, eventOf({ id: message.id, ...answered }));
  };
  const served = await serveHttp((request, response) => void serve(request, response));
  const up: EventStreamUpstream = {
    ...served,
    ...{ url: served.url.replace('/mcp', '/sse'), seen: [], calls: [], cancelled: [], headers: {}, streams },
    endpoint: (session) => `/message?session=${session}`,
    status: 202,
    broadcasts: false,
    tools: ['echo', 'count', 'wait', 'die'],
    say: (event) => {
      for (const stream of streams.values()) stream.write(event);
    },
    cut: () => {
      for (const stream of streams.values()) stream.destroy();
    },
  };
  return up;
}
