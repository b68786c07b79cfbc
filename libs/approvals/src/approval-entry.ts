import { toDollars } from '@haldir/kernel';
import { type AuditRecord, type EntrySource } from '@haldir/audit-log';
import { type RequestFacts } from './approval-request.repository.js';

/** What the log says of a request. */
export function requestEntry(
  request: RequestFacts,
  source: EntrySource,
  action: string,
  more: Record<string, unknown>,
): AuditRecord {
  const { sessionId, agentId, digest } = request;
  return {
    source,
    sessionId,
    agentId,
    tool: 'haldir.approvals',
    action,
    details: {
      request_id: request.id,
      tool: request.tool,
      action: request.action,
      amount: toDollars(request.amount),
      ...(digest === null ? {} : { digest: digest.toString('hex') }),
      ...more,
    },
  };
}
