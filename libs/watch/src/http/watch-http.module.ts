import { Module } from '@nestjs/common';
import { GateModule } from '@haldir/gate';
import { WatchModule } from '../watch.module.js';
import { AuditController } from './audit.controller.js';
import { AuditExportController } from './audit-export.controller.js';
import { AuditProofController } from './audit-proof.controller.js';
import { AuditRuleController } from './audit-rule.controller.js';
import { EventsController } from './events.controller.js';
import { LogJwksController } from './log-jwks.controller.js';
import { UsageController } from './usage.controller.js';

@Module({
  imports: [WatchModule, GateModule],
  controllers: [
    AuditController,
    AuditExportController,
    AuditProofController,
    AuditRuleController,
    EventsController,
    LogJwksController,
    UsageController,
  ],
})
export class WatchHttpModule {}
