import { METHOD_NOT_FOUND } from '@haldir/mcp';
import { isWithinSession, speaksOfSession } from './after-failure.js';
import { RejectedUnprocessed } from './json-rpc-response.js';
import { type UpstreamTransport } from './upstream-transport.js';
import { headersFor, type ProtocolRevision } from './mcp-protocol.js';
import { PROBE_SHARE } from './protocol-detection.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';

/** The second is for servers that do not know the first, and say so in ways of their own. */
const QUESTIONS = ['ping', 'tools/list'] as const;

/**
 * What is known of a session once something was asked in it: it goes on, the upstream says that it is over, it refuses whatever
 * is asked in it without saying why, or nobody knows, for that reason.
 */
export type Pulse = 'alive' | 'over' | 'refused' | UpstreamUnreachable;

/** What becomes of a session. Changes nothing, in it or here. */
export async function pulseOf(
  transport: UpstreamTransport,
  revision: ProtocolRevision,
  deadlineAt: number,
): Promise<Pulse> {
  let pulse: Pulse = 'refused';
  for (const method of QUESTIONS) {
    const now = performance.now();
    const asked = { method, params: {}, deadlineAt: now + (deadlineAt - now) * PROBE_SHARE };
    try {
      await transport.ask({ revision, headers: headersFor(revision, method), ...asked });
      return 'alive';
    } catch (error) {
      pulse = toldBy(error);
      const mayKnowTheOther =
        pulse === 'refused' || (pulse instanceof UpstreamUnreachable && pulse.reason === 'timeout');
      if (!mayKnowTheOther) return pulse;
    }
  }
  return pulse;
}

function toldBy(error: unknown): Pulse {
  if (error instanceof UpstreamRpcError) {
    if (error.rpcCode === METHOD_NOT_FOUND) return 'alive';
    if (speaksOfSession(error.rpcMessage)) return 'over';
    if (isWithinSession(error)) return 'alive';
    return error.status < 500
      ? 'refused'
      : new UpstreamUnreachable('http_status', { status: error.status, sent: false });
  }
  if (error instanceof RejectedUnprocessed) return error.tellsOfSession ? 'over' : 'refused';
  if (!(error instanceof UpstreamUnreachable)) throw error;
  return error.reason === 'too_large' ? 'alive' : error.unsent();
}

/** Whether the upstream is there and may say more when it is asked for another session: what failed may be how it ends one. */
export function mayBeAnEnd({ reason, status }: UpstreamUnreachable): boolean {
  if (reason === 'http_status') return status !== 429;
  return reason === 'timeout' || reason === 'reset' || reason === 'unauthorized' || reason === 'protocol';
}
