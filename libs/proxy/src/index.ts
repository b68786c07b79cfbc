export { type Policy, POLICY_TYPES, type PolicyRule } from './policy.js';
export { PolicyService } from './policy.service.js';
export {
  CALL_SCOPES,
  type CallOutcome,
  type CallWatch,
  MISMATCHED,
  neverLeft,
  type NewCall,
  type PerformedCall,
} from './proxy-call.js';
export { ProxyCallService } from './proxy-call.service.js';
export { ProxyModule } from './proxy.module.js';
export { RateLimiter } from './rate-limiter.js';
export { type CatalogueTool, type MissingUpstream, ToolCatalogue } from './tool-catalogue.js';
export { type Dialogue, type Progress } from './upstream/index.js';
export { type ListedTool, type UpstreamStats } from './upstream.repository.js';
export { type Candidate, UpstreamService } from './upstream.service.js';
