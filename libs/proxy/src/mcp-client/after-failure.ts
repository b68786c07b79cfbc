import { INVALID_PARAMS, METHOD_NOT_FOUND } from '@haldir/mcp';
import { type ProtocolRevision } from './mcp-protocol.js';
import { type UpstreamSession } from './session-place.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';

/** Once more after a connection that broke: only for what changes nothing, or no more when it is done twice. */
export async function twiceAtMost<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UpstreamUnreachable && error.reason === 'reset') return work();
    throw error;
  }
}

/** Whether the next call should find out anew what it is speaking to. */
export function suggestsAnotherServer({ reason }: UpstreamUnreachable): boolean {
  return (
    reason === 'connect' || reason === 'dns' || reason === 'tls' || reason === 'protocol' || reason === 'http_status'
  );
}

/** Errors that a method answers within a session: unknown method, arguments, resource; a question that cannot be asked. */
const WITHIN_SESSION = [METHOD_NOT_FOUND, INVALID_PARAMS, -32_002, -32_021, -32_042];

export function inSession(revision: ProtocolRevision): revision is UpstreamSession {
  return revision.kind === 'handshake' && revision.sessionId !== null;
}

export function isWithinSession({ rpcCode }: UpstreamRpcError): boolean {
  return WITHIN_SESSION.includes(rpcCode);
}

/** Whether the words are about a session, or about the handshake that begins one. */
export function speaksOfSession(message: string): boolean {
  return /session|initiali[sz]ed/i.test(message);
}

/**
 * Whether a failure in a session may mean that the session is over. Servers tell it in every way: by a status, or by an error in
 * an answer that looks like any other. Whoever asks next makes sure.
 */
export function mayHaveEndedSession(error: unknown): boolean {
  if (error instanceof UpstreamRpcError) return !isWithinSession(error) || speaksOfSession(error.rpcMessage);
  return error instanceof UpstreamUnreachable && (error.reason === 'unauthorized' || suggestsAnotherServer(error));
}
