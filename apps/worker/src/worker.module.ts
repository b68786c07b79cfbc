import { Module } from '@nestjs/common';
import { ApprovalsJobsModule } from '@haldir/approvals/jobs';
import { AuditLogModule } from '@haldir/audit-log';
import { CryptoModule } from '@haldir/crypto';
import { DatabaseModule } from '@haldir/database';
import { EventsModule } from '@haldir/events';
import { EventsJobsModule } from '@haldir/events/jobs';
import { GateJobsModule } from '@haldir/gate/jobs';
import { HealthModule } from '@haldir/health';
import { QueueModule } from '@haldir/queue';
import { WebhooksJobsModule } from '@haldir/webhooks/jobs';

/** The background process: every domain's jobs door, on the shared infrastructure. */
@Module({
  imports: [
    DatabaseModule,
    CryptoModule,
    AuditLogModule,
    EventsModule,
    QueueModule,
    HealthModule,
    EventsJobsModule,
    GateJobsModule,
    ApprovalsJobsModule,
    WebhooksJobsModule,
  ],
})
export class WorkerModule {}
