import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgentFreezes } from './agent-freezes.js';
import { AgentSessions } from './agent-sessions.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { BudgetLimits } from './budget-limits.js';
import { BudgetRepository } from './budget.repository.js';
import { BudgetService } from './budget.service.js';
import { FirstKeyDoor } from './first-key-door.js';
import { KeyExpiry } from './key-expiry.js';
import { Session } from './session.entity.js';
import { SessionExpiry } from './session-expiry.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { UsageMeter } from './usage-meter.js';

@Module({
  imports: [TypeOrmModule.forFeature([ApiKey, Session])],
  providers: [
    AgentFreezes,
    AgentSessions,
    ApiKeyRepository,
    ApiKeyService,
    BudgetLimits,
    BudgetRepository,
    BudgetService,
    FirstKeyDoor,
    KeyExpiry,
    SessionExpiry,
    SessionRepository,
    SessionService,
    UsageMeter,
  ],
  exports: [
    AgentFreezes,
    AgentSessions,
    ApiKeyService,
    BudgetLimits,
    BudgetService,
    FirstKeyDoor,
    KeyExpiry,
    SessionExpiry,
    SessionService,
    UsageMeter,
  ],
})
export class GateModule {}
