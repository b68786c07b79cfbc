import {
  Client as McpClient,
  type ClientCapabilities,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type ClientCapabilities as OldCapabilities } from '@modelcontextprotocol/sdk/types.js';

export const STATELESS_VERSION = '2026-07-28';

/** How a client speaks: the stateless revision, or one with a handshake. */
export type McpRevision = 'stateless' | 'handshake';

/** Who calls `/mcp`. */
export interface McpParty {
  url: string;
  key: string;
  session?: string | undefined;
}

function headersOf({ key, session }: McpParty): Record<string, string> {
  return { authorization: `Bearer ${key}`, ...(session === undefined ? {} : { 'x-session-id': session }) };
}

/** The official client, connected. */
export async function connectMcp(
  party: McpParty,
  revision: McpRevision = 'stateless',
  { capabilities = {}, prepare }: { capabilities?: ClientCapabilities; prepare?: (client: McpClient) => void } = {},
): Promise<McpClient> {
  const client = new McpClient(
    { name: 'test', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: revision === 'stateless' ? 'auto' : 'legacy' } },
  );
  prepare?.(client);
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', party.url), { requestInit: { headers: headersOf(party) } }),
  );
  return client;
}

/** The official client of version 1, connected. */
export async function connectOldMcp(
  party: McpParty,
  { capabilities = {}, prepare }: { capabilities?: OldCapabilities; prepare?: (client: OldClient) => void } = {},
): Promise<OldClient> {
  const client = new OldClient({ name: 'old', version: '1.0.0' }, { capabilities });
  prepare?.(client);
  await client.connect(new OldTransport(new URL('/mcp', party.url), { requestInit: { headers: headersOf(party) } }));
  return client;
}

export interface McpReply {
  status: number;
  headers: Headers;
  /** The last JSON-RPC message, however it came; null for an empty answer. */
  message: RpcMessage | null;
  /** Everything that came before it in an event stream. */
  before: RpcMessage[];
}

export interface RpcMessage {
  id?: unknown;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown> & { content?: { type: string; text: string }[]; isError?: boolean };
  error?: { code: number; message: string; data?: Record<string, unknown> };
}

/** A client that knows nothing but HTTP. */
export class BareMcp {
  private ids = 0;
  private mcpSession: string | null = null;

  constructor(
    readonly party: McpParty,
    readonly revision: McpRevision = 'stateless',
    /** Of an older client; it need not have shaken hands. */
    readonly version = '2025-11-25',
  ) {}

  call(name: string, args: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<McpReply> {
    return this.ask('tools/call', { name, arguments: args }, headers);
  }

  ask(method: string, params: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<McpReply> {
    return this.send(
      { jsonrpc: '2.0', id: ++this.ids, method, params: this.paramsOf(params) },
      { ...this.headersFor(method, params), ...headers },
    );
  }

  /** Says what it can do, and keeps the session that it is given. */
  async shakeHands(capabilities: Record<string, unknown>): Promise<McpReply> {
    const hello = { protocolVersion: this.version, capabilities, clientInfo: { name: 'bare', version: '1.0.0' } };
    const reply = await this.ask('initialize', hello);
    this.mcpSession = reply.headers.get('mcp-session-id');
    return reply;
  }

  /** The same client, in the same session of the protocol, at another address. */
  at(url: string): BareMcp {
    return new BareMcp({ ...this.party, url }, this.revision, this.version).as(this);
  }

  /** This one, in the protocol's session of another. */
  as({ mcpSession }: BareMcp): this {
    this.mcpSession = mcpSession;
    return this;
  }

  /** Sends a body as it is: a text, or a value to be written as JSON. A header with an empty text is not sent. */
  async send(body: unknown, headers: Record<string, string> = {}): Promise<McpReply> {
    const all = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headersOf(this.party),
      ...headers,
    };
    const response = await fetch(new URL('/mcp', this.party.url), {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const messages = response.headers.get('content-type')?.startsWith('text/event-stream')
      ? text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as RpcMessage] : []))
      : text === ''
        ? []
        : [JSON.parse(text) as RpcMessage];
    return {
      status: response.status,
      headers: response.headers,
      message: messages.at(-1) ?? null,
      before: messages.slice(0, -1),
    };
  }

  paramsOf(params: Record<string, unknown>): Record<string, unknown> {
    if (this.revision === 'handshake') return params;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': STATELESS_VERSION,
      'io.modelcontextprotocol/clientInfo': { name: 'bare', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    return { ...params, _meta: { ...meta, ...(params['_meta'] as object | undefined) } };
  }

  headersFor(method: string, params: Record<string, unknown> = {}): Record<string, string> {
    if (this.revision === 'handshake') {
      return {
        'mcp-protocol-version': this.version,
        ...(this.mcpSession === null ? {} : { 'mcp-session-id': this.mcpSession }),
      };
    }
    return {
      'mcp-protocol-version': STATELESS_VERSION,
      'mcp-method': method,
      ...(typeof params['name'] === 'string' ? { 'mcp-name': headerValue(params['name']) } : {}),
    };
  }
}

function headerValue(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

/** What the one text block of Haldir's own answer says. */
export function saidBy({ message }: McpReply): Record<string, unknown> {
  const blocks = message?.result?.content;
  if (blocks?.length !== 1) throw new Error(`no answer of Haldir's own: ${JSON.stringify(message)}`);
  return JSON.parse(blocks[0]?.text ?? '') as Record<string, unknown>;
}
