import { Module } from '@nestjs/common';
import { AuditLogModule } from '@haldir/audit-log';
import { CryptoModule } from '@haldir/crypto';
import { DatabaseModule } from '@haldir/database';
import { EventsModule } from '@haldir/events';
import { HealthModule } from '@haldir/health';
import { QueueModule } from '@haldir/queue';

/** The background process: every domain's jobs door, on the shared infrastructure. */
@Module({
  imports: [DatabaseModule, CryptoModule, AuditLogModule, EventsModule, QueueModule, HealthModule],
})
export class WorkerModule {}
