import { isObject, type JsonObject, META } from '@haldir/mcp';
import { type Asking } from './asking.js';

/**
 * How the human at the client is shown that something waits for a decision: by a question in the result (2026-07-28), as a form or
 * as an address to open; or by an error with an address (2025-11-25). Null: not at all.
 */
export type Prompting = 'form' | 'url' | 'error' | null;

/** The name of the question whether to go on with what waits for approval. */
export const APPROVAL_QUESTION = 'haldir/approval';

/** What the client can do. One of the stateless revision says so with each request, an older one said so in its handshake. */
export function promptingOf({ revision, mcpSession }: Asking, { _meta: meta }: JsonObject): Prompting {
  if (revision === 'handshake') return mcpSession?.can.has('url') ? 'error' : null;
  const capabilities = isObject(meta) ? meta[META.clientCapabilities] : undefined;
  const elicitation = isObject(capabilities) ? capabilities['elicitation'] : undefined;
  if (!isObject(elicitation)) return null;
  if (isObject(elicitation['url'])) return 'url';
  // `{}` is short for forms alone.
  return isObject(elicitation['form']) || Object.keys(elicitation).length === 0 ? 'form' : null;
}

/** Whether the human has been asked, and did not want to go on. */
export function hasDeclined({ inputResponses }: JsonObject): boolean {
  const response = isObject(inputResponses) ? inputResponses[APPROVAL_QUESTION] : undefined;
  return isObject(response) && response['action'] !== 'accept';
}
