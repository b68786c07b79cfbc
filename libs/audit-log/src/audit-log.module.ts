import { Global, Module } from '@nestjs/common';
import { AgentActivityRepository } from './agent-activity.repository.js';
import { AuditLog } from './audit-log.js';
import { LogKeys } from './log-keys.js';
import { LogProofs } from './log-proofs.js';
import { LogSums } from './log-sums.js';
import { LogTree } from './log-tree.js';
import { LoggedCallRepository } from './logged-call.repository.js';
import { ProcessLease } from './process-lease.js';
import { StartedCalls } from './started-calls.js';

/** Every domain records what it does; hence global. */
@Global()
@Module({
  providers: [AgentActivityRepository, AuditLog, LogKeys, LogProofs, LogSums, LogTree, LoggedCallRepository, ProcessLease, StartedCalls],
  exports: [AgentActivityRepository, AuditLog, LogProofs, LogSums, LogTree, LoggedCallRepository, StartedCalls],
})
export class AuditLogModule {}
