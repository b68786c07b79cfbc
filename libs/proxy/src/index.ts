export { CallConclusions } from './calls/call-conclusions.service.js';
export { CatalogueChanges } from './upstreams/list-changed.js';
export { ListeningRepository } from './upstreams/listener-lease.repository.js';
export { OfferDirectory } from './catalogue/resource-catalogue.js';
export { type NewRead, type ReadOutcome } from './calls/resource-read.js';
export { OfferReadService } from './calls/resource-read.service.js';
export { type ShownOffer } from './catalogue/resource-lookup.js';
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
export { ProxyCallService } from './calls/tool-call.service.js';
export { ProxyModule } from './proxy.module.js';
export { referencesIn, withReferences } from './masking/secret-references.js';
export { isHeaderValue, SEALED_UPSTREAM_HEADERS, type UpstreamCredentials } from './upstreams/upstream-credentials.js';
export { RateLimiter } from './policies/rate-limiter.js';
export { ToolPrices } from './catalogue/tool-price.service.js';
export { explain } from './policies/policy-refusal.js';
export { type SimulationRequest, type SimulationResult, SimulationService } from './simulation/simulation.service.js';
export { type Catalogue, type CatalogueTool, type MissingUpstream, ToolCatalogue } from './catalogue/tool-catalogue.js';
export { changesBetween } from './catalogue/tool-definition.js';
export { ToolPins } from './catalogue/tool-pins.service.js';
export { type ListedTool } from './catalogue/tool.repository.js';
export { type Dialogue, type InputRequired, OFFER_LISTS, type OfferKind, type Progress } from './mcp-client/index.js';
export { type UpstreamAddress } from './upstreams/upstream-address.js';
export { UpstreamClients } from './upstreams/upstream-connections.js';
export { type UpstreamStats } from './upstreams/upstream.repository.js';
export { UnknownCalls } from './calls/unknown-calls.js';
export { Discovery } from './registry/discovery.js';
export { UpstreamHealthService } from './registry/upstream-health.service.js';
export { type Examined, UpstreamRegistry } from './registry/upstream-registry.js';
