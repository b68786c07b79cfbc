import { Module } from '@nestjs/common';
import { ApprovalsJobsModule } from '@haldir/approvals/jobs';
import { AuditLogModule } from '@haldir/audit-log';
import { AuditLogJobsModule } from '@haldir/audit-log/jobs';
import { CryptoModule } from '@haldir/crypto';
import { DatabaseModule } from '@haldir/database';
import { EventsModule } from '@haldir/events';
import { EventsJobsModule } from '@haldir/events/jobs';
import { EvidenceJobsModule } from '@haldir/evidence/jobs';
import { GateJobsModule } from '@haldir/gate/jobs';
import { HealthModule } from '@haldir/health';
import { NotificationsJobsModule } from '@haldir/notifications/jobs';
import { ProxyJobsModule } from '@haldir/proxy/jobs';
import { QueueModule } from '@haldir/queue';
import { VaultJobsModule } from '@haldir/vault/jobs';
import { WatchJobsModule } from '@haldir/watch/jobs';
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
    AuditLogJobsModule,
    GateJobsModule,
    ApprovalsJobsModule,
    VaultJobsModule,
    WatchJobsModule,
    WebhooksJobsModule,
    NotificationsJobsModule,
    ProxyJobsModule,
    EvidenceJobsModule,
  ],
})
export class WorkerModule {}
