import { type RequestFacts } from './approval-request.repository.js';

/** An approval that lets one exact call through, once; its row is locked until the transaction ends. */
export type ApprovedRequest = RequestFacts;

/** The request that a held call waits for. */
export interface HeldRequest {
  requestId: string;
  reason: string;
  expiresAt: Date;
  /** Whether it was made for this call, and nobody has been asked before. */
  isNew: boolean;
}

/** What there is about an exact call that needs approval. */
export type ApprovalAnswer =
  | { kind: 'approved'; request: ApprovedRequest }
  | { kind: 'held'; request: HeldRequest }
  | { kind: 'denied'; requestId: string };
