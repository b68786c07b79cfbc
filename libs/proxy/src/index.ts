export { CallConclusions } from './call-conclusions.service.js';
export { CatalogueChanges } from './catalogue-changes.js';
export { ListeningRepository } from './listening.repository.js';
export { OfferDirectory } from './offer-directory.js';
export { type NewRead, type ReadOutcome } from './offer-read.js';
export { OfferReadService } from './offer-read.service.js';
export { type ShownOffer } from './offers.js';
export {
  type Policy,
  POLICY_MODES,
  POLICY_TYPES,
  type PolicyRule,
  type PolicyScope,
  type PolicyTerms,
} from './policy.js';
export { PolicyService } from './policy.service.js';
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
} from './proxy-call.js';
export { ProxyCallService } from './proxy-call.service.js';
export { ProxyModule } from './proxy.module.js';
export { referencesIn, withReferences } from './secrets/secret-references.js';
export { isHeaderValue, SEALED_UPSTREAM_HEADERS, type UpstreamCredentials } from './secrets/upstream-headers.js';
export { RateLimiter } from './rate-limiter.js';
export { ToolPrices } from './tool-price.service.js';
export { explain } from './refusal.js';
export { type SimulationRequest, type SimulationResult, SimulationService } from './simulation.service.js';
export { type Catalogue, type CatalogueTool, type MissingUpstream, ToolCatalogue } from './tool-catalogue.js';
export { changesBetween } from './tool-definition.js';
export { ToolPins } from './tool-pins.service.js';
export { type ListedTool } from './tool.repository.js';
export { type Dialogue, type InputRequired, OFFER_LISTS, type OfferKind, type Progress } from './upstream/index.js';
export { type UpstreamAddress } from './upstream-address.js';
export { UpstreamClients } from './upstream-clients.js';
export { type UpstreamStats } from './upstream.repository.js';
export { UnknownCalls } from './unknown-calls.js';
export { type Examined, UpstreamService } from './upstream.service.js';
