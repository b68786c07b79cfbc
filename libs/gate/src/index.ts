export { AgentFreezes, type Freeze } from './agent-freezes.js';
export { AgentSessions } from './agent-sessions.js';
export { ApiKeyService } from './api-key.service.js';
export {
  BudgetService,
  type SessionLock,
  type Spend,
  type SpendDecision,
  type SpendRefusal,
} from './budget.service.js';
export { AgentFrozen, SessionInvalid } from './gate.errors.js';
export { GateModule } from './gate.module.js';
export { keyPrefix } from './api-key-format.js';
export { type Session } from './session.entity.js';
export { sealGrants } from './seal-grants.js';
export { SessionService } from './session.service.js';
export { Tenant } from './tenant.entity.js';
export { TenantRepository } from './tenant.repository.js';
export { Tenants } from './tenants.js';
export { monthOf, UsageMeter } from './usage-meter.js';
