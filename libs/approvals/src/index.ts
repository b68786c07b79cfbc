export { ApprovalNotFound, DetailsTooLong } from './approvals.errors.js';
export { ApprovalCounts } from './approval-counts.js';
export {
  APPROVAL_STATUSES,
  type ApprovalRequest,
  type ApprovalStatus,
  VIEW_DETAILS_CHARS,
} from './approval-request.entity.js';
export { type ApprovalRule } from './approval-rule.entity.js';
export { ApprovalRuleService, firstMatch, type NewApprovalRule } from './approval-rule.service.js';
export {
  APPROVAL_RULE_TYPES,
  type ApprovalRuleType,
  type ApprovalSubject,
  holderOf,
  type RuleMatch,
} from './approval-subject.js';
export {
  type ApprovalAnswer,
  type ApprovedRequest,
  ApprovalService,
  type HeldRequest,
  type NewApprovalRequest,
  type NewDecision,
  pagePathOf,
} from './approval.service.js';
export { ApprovalWaits } from './approval-waits.js';
export { ApprovalsModule } from './approvals.module.js';
export { DESTRUCTIVE_VERBS, isDestructive } from './destructive.js';
export { type DetailsPart } from './approval-request.repository.js';
export { SelfApprovalService } from './self-approval.service.js';
export { shownDetails } from './shown-details.js';
