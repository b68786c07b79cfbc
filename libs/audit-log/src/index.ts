export { AuditLog, type AuditRecord, type RecordedEntry } from './audit-log.js';
export { AuditLogModule } from './audit-log.module.js';
export { type EntrySource } from './entry.js';
export { type ConsistencyProof, type InclusionProof, LogProofs } from './log-proofs.js';
export { SEALED_LOG_SEEDS } from './log-keys.js';
export { LogSums, type LogTotals, type Share, type SpendSums, type SumFilter } from './log-sums.js';
export { LogTree, type TreeHead } from './log-tree.js';
export { type ClosedCall, type NewStart, type StartedCall, StartedCalls } from './started-calls.js';
export { type LoggedCall, LoggedCalls } from './logged-calls.js';
