import { toDollars } from '@haldir/kernel';
import { type ApprovalOutcome, type ApprovalRequest } from './approval-request.entity.js';
import { type EndedFacts } from './approval-request.repository.js';

/** How much of the details an event carries; all of them are at its page, and at the API. */
const EVENT_DETAILS_CHARS = 4000;

/** Where a human decides, below the address of the installation. */
export function pagePathOf(requestId: string): string {
  return `/approvals/${requestId}`;
}

/** What `approval_requested` says. @param publicBase below which the page is; null: without its address */
export function requestedData(request: ApprovalRequest, rule: Record<string, string>, publicBase: string | null) {
  const { id, agentId, tool, action, amount, reason, details } = request;
  return {
    request_id: id,
    agent_id: agentId,
    tool,
    action,
    amount: toDollars(amount),
    reason,
    ...rule,
    ...excerptOf(details),
    ...pageIn(id, publicBase),
  };
}

/** What `approval_outcome` says. `decided_key` is the key or the person that approved; null where nobody has decided. */
export function outcomeData(request: EndedFacts, outcome: ApprovalOutcome, publicBase: string | null) {
  const { id, agentId, tool, action, amount, decidedKey } = request;
  return {
    request_id: id,
    agent_id: agentId,
    tool,
    action,
    amount: toDollars(amount),
    outcome,
    decided_key: decidedKey,
    ...pageIn(id, publicBase),
  };
}

function pageIn(id: string, publicBase: string | null): { page?: string } {
  return publicBase === null ? {} : { page: publicBase + pagePathOf(id) };
}

/** The beginning of the details, whole characters only, and whether that is not all. */
function excerptOf(details: string | null): { details: string | null; details_cut: boolean } {
  if (details === null || details.length <= EVENT_DETAILS_CHARS) return { details, details_cut: false };
  const last = details.charCodeAt(EVENT_DETAILS_CHARS - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return { details: details.slice(0, EVENT_DETAILS_CHARS - (isHalf ? 1 : 0)), details_cut: true };
}
