import { Module } from '@nestjs/common';
import { ApprovalsModule } from '@haldir/approvals';
import { ApprovalsHttpModule } from '@haldir/approvals/http';
import { AuditLogModule } from '@haldir/audit-log';
import { CryptoModule } from '@haldir/crypto';
import { DatabaseModule } from '@haldir/database';
import { EventsModule } from '@haldir/events';
import { GateModule } from '@haldir/gate';
import { GateHttpModule } from '@haldir/gate/http';
import { GatewayHttpModule } from '@haldir/gateway/http';
import { HealthModule } from '@haldir/health';
import { HttpModule } from '@haldir/http';
import { ProxyHttpModule } from '@haldir/proxy/http';
import { QueueModule } from '@haldir/queue';
import { VaultModule } from '@haldir/vault';
import { VaultHttpModule } from '@haldir/vault/http';
import { WatchHttpModule } from '@haldir/watch/http';
import { WebhooksHttpModule } from '@haldir/webhooks/http';
import { MetricsController } from './platform/metrics.controller.js';
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
    WatchHttpModule,
    WebhooksHttpModule,
    ProxyHttpModule,
    GatewayHttpModule,
    // What the platform's own figures are made of.
    ApprovalsModule,
    GateModule,
    VaultModule,
  ],
  controllers: [PlatformController, MetricsController],
})
export class ApiModule {}
