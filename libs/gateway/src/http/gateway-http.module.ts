import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApprovalsModule } from '@haldir/approvals';
import { GateModule } from '@haldir/gate';
import { ProxyModule } from '@haldir/proxy';
import { VaultModule } from '@haldir/vault';
import { WatchModule } from '@haldir/watch';
import { Cancellations } from './cancellations.js';
import { ChangeStreams } from './change-streams.js';
import { Elicitations } from './elicitations.js';
import { HeldRequests } from './held-requests.js';
import { Hosts } from './hosts.js';
import { ListDigests } from './list-digests.js';
import { McpController } from './mcp.controller.js';
import { McpErrorFilter } from './mcp-error.filter.js';
import { McpServer } from './mcp-server.js';
import { Questions } from './questions.js';
import { Subscriptions } from './subscriptions.js';
import { ProtectedResourceController } from './protected-resource.controller.js';
import { CallTask } from './tasks/call-task.entity.js';
import { CallTaskRepository } from './tasks/call-task.repository.js';
import { CallTasks } from './tasks/call-tasks.js';
import { ResumedCalls } from './tasks/resumed-calls.js';
import { TaskRequests } from './tasks/task-requests.js';
import { ApprovalTools } from './tools/approval.tools.js';
import { AuditTools } from './tools/audit.tools.js';
import { CatalogueTools } from './tools/catalogue.tools.js';
import { OwnToolbox } from './tools/own-toolbox.js';
import { PaymentTools } from './tools/payment.tools.js';
import { SecretTools } from './tools/secret.tools.js';
import { SessionTools } from './tools/session.tools.js';
import { UpstreamResources } from './upstream-resources.js';
import { UpstreamTools } from './upstream-tools.js';

/** `/mcp`: the one MCP server an agent needs. */
@Module({
  imports: [TypeOrmModule.forFeature([CallTask]), ApprovalsModule, GateModule, ProxyModule, VaultModule, WatchModule],
  controllers: [McpController, ProtectedResourceController],
  providers: [
    ApprovalTools,
    AuditTools,
    CallTaskRepository,
    CallTasks,
    Cancellations,
    CatalogueTools,
    ChangeStreams,
    Elicitations,
    HeldRequests,
    Hosts,
    ListDigests,
    McpErrorFilter,
    McpServer,
    OwnToolbox,
    PaymentTools,
    Questions,
    ResumedCalls,
    SecretTools,
    SessionTools,
    Subscriptions,
    TaskRequests,
    UpstreamResources,
    UpstreamTools,
  ],
})
export class GatewayHttpModule {}
