export { ApiKeyService, type MintedKey, type NewKey } from './api-key.service.js';
export { BudgetService, type Spend, type SpendDecision } from './budget.service.js';
export { SessionInvalid } from './gate.errors.js';
export { GateModule } from './gate.module.js';
export { keyPrefix } from './api-key-format.js';
export { type Session, type SessionStatus } from './session.entity.js';
export { SessionExpiry } from './session-expiry.service.js';
export { type NewSession, SessionService } from './session.service.js';
export { monthOf, UsageMeter } from './usage-meter.js';
