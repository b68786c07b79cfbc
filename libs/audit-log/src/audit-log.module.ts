import { Global, Module } from '@nestjs/common';
import { AgentActivity } from './agent-activity.js';
import { AuditLog } from './audit-log.js';
import { LogKeys } from './log-keys.js';
import { LogProofs } from './log-proofs.js';
import { LogSums } from './log-sums.js';
import { LogTree } from './log-tree.js';
import { LoggedCalls } from './logged-calls.js';
import { ProcessLease } from './process-lease.js';
import { StartedCalls } from './started-calls.js';

/** Every domain records what it does; hence global. */
@Global()
@Module({
  providers: [AgentActivity, AuditLog, LogKeys, LogProofs, LogSums, LogTree, LoggedCalls, ProcessLease, StartedCalls],
  exports: [AgentActivity, AuditLog, LogProofs, LogSums, LogTree, LoggedCalls, StartedCalls],
})
export class AuditLogModule {}
