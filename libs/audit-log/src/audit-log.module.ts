import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgentActivityRepository } from './agent-activity.repository.js';
import { AuditLog } from './audit-log.js';
import { AuditLogRepository } from './audit-log.repository.js';
import { Checkpoint } from './checkpoint.entity.js';
import { LogKeys } from './log-keys.js';
import { LogProofs } from './log-proofs.js';
import { LogSums } from './log-sums.js';
import { LogSumsRepository } from './log-sums.repository.js';
import { LogTileRepository } from './log-tile.repository.js';
import { LogTree } from './log-tree.js';
import { LogTreeRepository } from './log-tree.repository.js';
import { LoggedCallRepository } from './logged-call.repository.js';
import { ProcessLease } from './process-lease.js';
import { ProcessLeaseRepository } from './process-lease.repository.js';
import { SealedLogKey } from './sealed-log-key.entity.js';
import { SealedLogKeyRepository } from './sealed-log-key.repository.js';
import { StartedCallRepository } from './started-call.repository.js';
import { StartedCalls } from './started-calls.js';

/** Every domain records what it does; hence global. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([Checkpoint, SealedLogKey])],
  providers: [
    AgentActivityRepository,
    AuditLog,
    AuditLogRepository,
    LogKeys,
    LogProofs,
    LogSums,
    LogSumsRepository,
    LogTileRepository,
    LogTree,
    LogTreeRepository,
    LoggedCallRepository,
    ProcessLease,
    ProcessLeaseRepository,
    SealedLogKeyRepository,
    StartedCallRepository,
    StartedCalls,
  ],
  exports: [AgentActivityRepository, AuditLog, LogProofs, LogSums, LogTree, LoggedCallRepository, StartedCalls],
})
export class AuditLogModule {}
