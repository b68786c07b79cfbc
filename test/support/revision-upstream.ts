import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { STATELESS_VERSION } from './mcp.js';
import { serveHttp, type Upstream } from './upstream-server.js';

/** An upstream of one revision, strict about what that revision asks of its clients. */
export interface RevisionUpstream extends Upstream {
  /** What clients did that they should not have; empty when nothing was. */
  readonly faults: string[];
}

interface Message {
  id?: number | string;
  method?: string;
  params?: { name?: string; arguments?: { message?: string }; protocolVersion?: string; _meta?: object };
}

type Outcome = { result: object } | { error: { code: number; message: string }; status: number };

/** @param answers as one JSON text, or as an event stream with something else before the answer */
export async function startRevisionUpstream(version: string, answers: 'json' | 'sse'): Promise<RevisionUpstream> {
  const faults: string[] = [];
  const sessions = new Set<string>();
  const isStateless = version === STATELESS_VERSION;

  const outcomeOf = ({ method, params }: Message): Outcome => {
    if (method === 'tools/list')
      return { result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }], ...cacheable() } };
    if (method === 'tools/call')
      return {
        result: {
          content: [{ type: 'text', text: `${version} ${answers} ${params?.arguments?.message}` }],
          ...complete(),
        },
      };
    if (isStateless && method === 'server/discover')
      return { result: { supportedVersions: [version], capabilities: { tools: {} }, ...cacheable() } };
    return { error: { code: -32601, message: 'Method not found' }, status: isStateless ? 404 : 200 };
  };
  const complete = (): object => (isStateless ? { resultType: 'complete' } : {});
  const cacheable = (): object => (isStateless ? { ...complete(), ttlMs: 0, cacheScope: 'private' } : {});

  /** Null when the request may be answered. */
  const refusal = ({ headers }: IncomingMessage, { method }: Message): string | null => {
    const spoken = headers['mcp-protocol-version'];
    if (isStateless) return spoken === version && headers['mcp-method'] === method ? null : 'headers';
    if (!sessions.has(String(headers['mcp-session-id']))) return 'session';
    // The header came with 2025-06-18.
    return version === '2025-03-26' || spoken === version ? null : `version ${String(spoken)}`;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST') {
      response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
      return;
    }
    const message = JSON.parse(await text(request)) as Message;
    const say = (outcome: Outcome): void => {
      const { status = 200, ...body } = outcome as Outcome & { status?: number };
      const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...body });
      if (answers === 'json') {
        response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
        return;
      }
      const aside = JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'info', data: 'x' },
      });
      response.writeHead(status, { 'content-type': 'text/event-stream' });
      response.end(`: hello\n\nevent: message\ndata: ${aside}\n\nevent: message\ndata: ${answer}\n\n`);
    };
    if (!isStateless && message.method === 'initialize') {
      const session = randomUUID();
      sessions.add(session);
      response.setHeader('mcp-session-id', session);
      say({
        result: {
          protocolVersion: version,
          capabilities: { tools: {} },
          serverInfo: { name: 'revision', version: '1' },
        },
      });
      return;
    }
    const refused = refusal(request, message);
    if (refused !== null) {
      // Whoever does not know yet what it speaks to may ask in every way.
      if (message.method === 'tools/call') faults.push(`${refused}: ${JSON.stringify(request.headers)}`);
      say({ error: { code: -32000, message: `Bad Request: ${refused}` }, status: 400 });
    } else if (message.id === undefined) response.writeHead(202).end();
    else say(outcomeOf(message));
  };

  return { ...(await serveHttp((request, response) => void serve(request, response))), faults };
}
