import { Module } from '@nestjs/common';
import { ApprovalsModule } from '@haldir/approvals';
import { ApprovalsHttpModule } from '@haldir/approvals/http';
import { AuditLogModule } from '@haldir/audit-log';
import { CryptoModule } from '@haldir/crypto';
import { DatabaseModule } from '@haldir/database';
import { EventsModule } from '@haldir/events';
import { EvidenceHttpModule } from '@haldir/evidence/http';
import { GateModule } from '@haldir/gate';
import { GateHttpModule } from '@haldir/gate/http';
import { GatewayHttpModule } from '@haldir/gateway/http';
import { HealthModule } from '@haldir/health';
import { HttpModule } from '@haldir/http';
import { NotificationsHttpModule } from '@haldir/notifications/http';
import { PeopleHttpModule } from '@haldir/people/http';
import { ProxyHttpModule } from '@haldir/proxy/http';
import { QueueModule } from '@haldir/queue';
import { VaultModule } from '@haldir/vault';
import { VaultHttpModule } from '@haldir/vault/http';
import { WatchModule } from '@haldir/watch';
import { WatchHttpModule } from '@haldir/watch/http';
import { WebhooksModule } from '@haldir/webhooks';
import { WebhooksHttpModule } from '@haldir/webhooks/http';
import { AgentsController } from './platform/agents.controller.js';
import { ConsoleController } from './platform/console.controller.js';
import { ConsoleFiles } from './platform/console-files.js';
import { MetricsController } from './platform/metrics.controller.js';
import { OverviewController } from './platform/overview.controller.js';
import { Overviews } from './platform/overviews.js';
import { PlatformController } from './platform/platform.controller.js';
import { StatusController } from './platform/status.controller.js';
import { StatusReport } from './platform/status-report.js';

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
    PeopleHttpModule,
    VaultHttpModule,
    ApprovalsHttpModule,
    WatchHttpModule,
    WebhooksHttpModule,
    NotificationsHttpModule,
    ProxyHttpModule,
    EvidenceHttpModule,
    GatewayHttpModule,
    // What the platform's own figures are made of.
    ApprovalsModule,
    GateModule,
    VaultModule,
    WatchModule,
    WebhooksModule,
  ],
  controllers: [
    AgentsController,
    PlatformController,
    ConsoleController,
    MetricsController,
    OverviewController,
    StatusController,
  ],
  providers: [ConsoleFiles, Overviews, StatusReport],
})
export class ApiModule {}
