import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgentFreeze } from './agent-freeze.entity.js';
import { AgentFreezeRepository } from './agent-freeze.repository.js';
import { AgentFreezes } from './agent-freezes.js';
import { AgentSession } from './agent-session.entity.js';
import { AgentSessionRepository } from './agent-session.repository.js';
import { AgentSessions } from './agent-sessions.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { BudgetUsage } from './budget-usage.entity.js';
import { BudgetLimits } from './budget-limits.js';
import { Budget } from './budget.entity.js';
import { BudgetRepository } from './budget.repository.js';
import { BudgetService } from './budget.service.js';
import { Delegations } from './delegations.js';
import { FirstKeyDoor } from './first-key-door.js';
import { KeptRecordRepository } from './kept-record.repository.js';
import { KeyExpiry } from './key-expiry.js';
import { LockedSessionRepository } from './locked-session.repository.js';
import { Session } from './session.entity.js';
import { SessionExpiry } from './session-expiry.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { Tenant } from './tenant.entity.js';
import { TenantRepository } from './tenant.repository.js';
import { Tenants } from './tenants.js';
import { UsageMeter } from './usage-meter.js';
import { UsageMonth } from './usage-month.entity.js';
import { UsageMonthRepository } from './usage-month.repository.js';

const entities = [AgentFreeze, AgentSession, ApiKey, Budget, BudgetUsage, Session, Tenant, UsageMonth];

@Module({
  imports: [TypeOrmModule.forFeature(entities)],
  providers: [
    AgentFreezeRepository,
    AgentFreezes,
    AgentSessionRepository,
    AgentSessions,
    ApiKeyRepository,
    ApiKeyService,
    BudgetLimits,
    BudgetRepository,
    BudgetService,
    Delegations,
    FirstKeyDoor,
    KeptRecordRepository,
    KeyExpiry,
    LockedSessionRepository,
    SessionExpiry,
    SessionRepository,
    SessionService,
    TenantRepository,
    Tenants,
    UsageMeter,
    UsageMonthRepository,
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
    Tenants,
    UsageMeter,
  ],
})
export class GateModule {}
