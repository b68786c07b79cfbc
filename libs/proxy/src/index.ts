export { CallConclusions } from './calls/call-conclusions.js';
export { ListChanges } from './upstreams/list-changes.js';
export { ListenerLeaseRepository } from './upstreams/listener-lease.repository.js';
export { ResourceCatalogue } from './catalogue/resource-catalogue.js';
export { type NewRead, type ReadOutcome } from './calls/resource-read.js';
export { ResourceReadService } from './calls/resource-read.service.js';
export { type ShownResource } from './catalogue/resource-lookup.js';
export {
  type Policy,
  POLICY_MODES,
  POLICY_TYPES,
  type PolicyRule,
  type PolicyScope,
  type PolicyTerms,
} from './policies/policy.js';
export { PolicyService } from './policies/policy.service.js';
export {
  CALL_SCOPES,
  type CallOutcome,
  type CallWatch,
  DRIFTED,
  UNSHOWABLE,
  MISMATCHED,
  neverLeft,
  type NewCall,
  type PerformedCall,
} from './calls/tool-call.js';
export { ToolCallService } from './calls/tool-call.service.js';
export { ProxyModule } from './proxy.module.js';
export { referencesIn, withReferences } from './masking/secret-references.js';
export { isHeaderValue, SEALED_UPSTREAM_HEADERS, type NewCredentials } from './upstreams/upstream-credentials.js';
export { RateLimiter } from './policies/rate-limiter.js';
export { ToolPriceService } from './catalogue/tool-price.service.js';
export { explain } from './policies/policy-refusal.js';
export { type SimulationRequest, type SimulationResult, SimulationService } from './simulation/simulation.service.js';
export { type Catalogue, type CatalogueTool, type MissingUpstream, ToolCatalogue } from './catalogue/tool-catalogue.js';
export { changesBetween } from './catalogue/tool-definition.js';
export { ToolPinsService } from './catalogue/tool-pins.service.js';
export { type ListedTool } from './catalogue/tool.repository.js';
export {
  type Dialogue,
  type InputRequired,
  RESOURCE_LISTS,
  type ResourceKind,
  type Progress,
} from './mcp-client/index.js';
export { type UpstreamAddress } from './upstreams/upstream-address.js';
export { UpstreamConnections } from './upstreams/upstream-connections.js';
export { type UpstreamStats } from './upstreams/upstream.repository.js';
export { UnknownCalls } from './calls/unknown-calls.js';
export { Discovery } from './registry/discovery.js';
export { UpstreamHealthService } from './registry/upstream-health.service.js';
export { type Examined, UpstreamRegistry } from './registry/upstream-registry.js';
