export { AgentFreezes, type Freeze } from './agent-freezes.js';
export { AgentSessions } from './agent-session.service.js';
export { API_KEY_STATUSES } from './api-key.repository.js';
export { ApiKeyService, describeGrant, type MintedKey, type NewKey, type RotatedKey } from './api-key.service.js';
export {
  BudgetService,
  type SessionLock,
  type Spend,
  type SpendDecision,
  type SpendRefusal,
} from './budget.service.js';
export { FirstKeyDoor } from './first-key-door.js';
export { AgentFrozen, SessionInvalid } from './gate.errors.js';
export { type BudgetScope } from './budget.js';
export { BudgetLimits } from './budget-limits.service.js';
export { type BudgetStanding } from './budget.repository.js';
export { GateModule } from './gate.module.js';
export { keyPrefix } from './api-key-format.js';
export { type Session, type SessionStatus } from './session.entity.js';
export { sealGrants } from './seal-grants.js';
export { KeyExpiry } from './key-expiry.service.js';
export { SessionExpiry } from './session-expiry.service.js';
export { type NewSession, SessionService } from './session.service.js';
export { monthOf, UsageMeter } from './usage-meter.js';
