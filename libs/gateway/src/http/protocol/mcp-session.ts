import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { isObject } from '@haldir/mcp';
import { headerOf } from './mcp-headers.js';
import { RpcError } from './messages.js';

/** What a client said of itself in its handshake, as far as its later requests depend on it. */
export interface McpSession {
  id: string;
  /** Whether it shows its human an address to open, and makes a request again after that. */
  opensUrls: boolean;
}

/** The first revision whose clients can be sent to an address. */
const FIRST_WITH_URLS = '2025-11-25';
const SESSION_NOT_FOUND = -32001;

/**
 * The `Mcp-Session-Id` for a client: what it declared, in words, and 128 random bits that tell its requests from others'. It holds
 * everything that is to be known of the session, so any process can read it; and nothing but the client's own word, so that it
 * need not be trusted. It is no credential: the key and `X-Session-ID` come with every request.
 */
export function beginMcpSession(protocolVersion: string, capabilities: unknown): string {
  const elicitation = isObject(capabilities) ? capabilities['elicitation'] : undefined;
  const opensUrls = protocolVersion >= FIRST_WITH_URLS && isObject(elicitation) && isObject(elicitation['url']);
  return `${opensUrls ? 'url' : 'plain'}.${randomBytes(16).toString('base64url')}`;
}

/**
 * The session that a request belongs to; null for a client that sends none.
 *
 * @throws RpcError (404, after which clients shake hands anew) for an id that was not given out here
 */
export function readMcpSession(headers: IncomingHttpHeaders): McpSession | null {
  const id = headerOf(headers, 'mcp-session-id');
  if (id === undefined) return null;
  const [, declared] = /^(url|plain)\.[\w-]{22}$/.exec(id) ?? [];
  if (declared === undefined)
    throw new RpcError(SESSION_NOT_FOUND, 'Mcp-Session-Id: no such session; send initialize without it', {
      status: 404,
    });
  return { id, opensUrls: declared === 'url' };
}
