import { hash, randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { stringifyJson } from '@haldir/kernel';
import { isObject, type JsonObject, type RequestId } from '@haldir/mcp';
import { headerOf } from './mcp-headers.js';
import { RpcError } from './messages.js';

/** What a client can be asked, and since which revision; the order is that of the words in an id. */
const ABILITIES = { form: '2025-06-18', url: '2025-11-25', sampling: '2024-11-05', roots: '2024-11-05' } as const;
export type Ability = keyof typeof ABILITIES;
const WORDS = Object.keys(ABILITIES) as Ability[];

/** What a client said of itself in its handshake, as far as its later requests depend on it. */
export interface McpSession {
  id: string;
  can: ReadonlySet<Ability>;
}

const SESSION_NOT_FOUND = -32001;

/**
 * The `Mcp-Session-Id` for a client: what it declared, in words, and 128 random bits that tell its requests from others'. It holds
 * everything that is to be known of the session, so any process can read it; and nothing but the client's own word, so that it
 * need not be trusted. It is no credential: the key and `X-Session-ID` come with every request.
 */
export function beginMcpSession(protocolVersion: string, capabilities: unknown): string {
  const declared = WORDS.filter((word) => protocolVersion >= ABILITIES[word] && declares(capabilities, word));
  return `${declared.length === 0 ? 'plain' : declared.join('-')}.${randomBytes(16).toString('base64url')}`;
}

/**
 * The session that a request belongs to; null for a client that sends none.
 *
 * @throws RpcError (404, after which clients shake hands anew) for an id that was not given out here
 */
export function readMcpSession(headers: IncomingHttpHeaders): McpSession | null {
  const id = headerOf(headers, 'mcp-session-id');
  if (id === undefined) return null;
  const [, declared] = /^([a-z-]{1,40})\.[\w-]{22}$/.exec(id) ?? [];
  const words = WORDS.filter((word) => declared?.split('-').includes(word));
  if (declared !== (words.length === 0 ? 'plain' : words.join('-')))
    throw new RpcError(SESSION_NOT_FOUND, 'Mcp-Session-Id: no such session; send initialize without it', {
      status: 404,
    });
  return { id, can: new Set(words) };
}

/** The same as the stateless revision has it. */
export function toCapabilities({ can }: McpSession): JsonObject {
  const elicitation = { ...(can.has('form') ? { form: {} } : {}), ...(can.has('url') ? { url: {} } : {}) };
  return {
    ...(Object.keys(elicitation).length === 0 ? {} : { elicitation }),
    ...(can.has('sampling') ? { sampling: {} } : {}),
    ...(can.has('roots') ? { roots: {} } : {}),
  };
}

/** By whom a request came. */
export interface McpParty {
  tenantId: string;
  /** Of the session that acts, which is a credential; null for a key by itself. */
  sessionId: string | null;
  mcpSession: McpSession;
}

/** Stands for one request of a party, between processes, and says nothing to whoever overhears it. 1, "1" and 1.0 are three ids. */
export function keyOfRequest({ tenantId, sessionId, mcpSession }: McpParty, id: RequestId): string {
  return hash('sha256', stringifyJson([tenantId, sessionId, mcpSession.id, id]), 'base64url');
}

function declares(capabilities: unknown, word: Ability): boolean {
  if (!isObject(capabilities)) return false;
  if (word === 'sampling' || word === 'roots') return isObject(capabilities[word]);
  const { elicitation } = capabilities;
  if (!isObject(elicitation)) return false;
  // `{}` is short for forms alone.
  return isObject(elicitation[word]) || (word === 'form' && Object.keys(elicitation).length === 0);
}
