import { Module } from '@nestjs/common';
import { ApprovalsHttpModule } from '@haldir/approvals/http';
import { AuditLogModule } from '@haldir/audit-log';
import { CryptoModule } from '@haldir/crypto';
import { DatabaseModule } from '@haldir/database';
import { EventsModule } from '@haldir/events';
import { GateHttpModule } from '@haldir/gate/http';
import { HealthModule } from '@haldir/health';
import { HttpModule } from '@haldir/http';
import { QueueModule } from '@haldir/queue';
import { VaultHttpModule } from '@haldir/vault/http';
import { WebhooksHttpModule } from '@haldir/webhooks/http';
import { PlatformController } from './platform/platform.controller.js';

/** The REST process: every domain's http door, on the shared infrastructure. */
@Module({
  imports: [
    DatabaseModule,
    CryptoModule,
    AuditLogModule,
    EventsModule,
    QueueModule,
    HttpModule,
    HealthModule,
    GateHttpModule,
    VaultHttpModule,
    ApprovalsHttpModule,
    WebhooksHttpModule,
  ],
  controllers: [PlatformController],
})
export class ApiModule {}
