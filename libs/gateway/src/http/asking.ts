import { type Caller, type HaldirReply, type HaldirRequest } from '@haldir/http';
import { type Exchange } from './protocol/exchange.js';
import { type McpSession } from './protocol/mcp-session.js';
import { type Revision } from './protocol/messages.js';

/** Who asks, how, and where the answer goes. */
export interface Asking {
  caller: Caller;
  /** The session named by `X-Session-ID`, or that an agent key goes on with; null when an operator's key acts by itself. */
  sessionId: string | null;
  revision: Revision;
  /** What a client of the older revisions said in its handshake; null for one that names no session, and for all others. */
  mcpSession: McpSession | null;
  request: HaldirRequest;
  reply: HaldirReply;
  /** Aborted when the client does not want the answer any more; null for one that has no way to say so. */
  cancelled: AbortSignal | null;
  /** Null for a request of a batch, which is answered with the others. */
  exchange: Exchange | null;
}
