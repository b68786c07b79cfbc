export { CallConclusions } from './calls/call-conclusions.js';
export { ResourceCatalogue } from './catalogue/resource-catalogue.js';
export { type NewRead } from './calls/resource-read.js';
export { ResourceReadService } from './calls/resource-read.service.js';
export { type ShownResource } from './catalogue/resource-lookup.js';
export {
  CALL_SCOPES,
  type CallOutcome,
  MISMATCHED,
  neverLeft,
  type PerformedCall,
  type ReadOutcome,
  UNSHOWABLE,
} from './calls/call-outcome.js';
export { type CallWatch } from './calls/call-request.js';
export { type NewCall } from './calls/tool-call.js';
export { ToolCallService } from './calls/tool-call.service.js';
export { ProxyModule } from './proxy.module.js';
export { SEALED_UPSTREAM_HEADERS } from './upstreams/upstream-credentials.js';
export { explain } from './policies/policy-refusal.js';
export { type Catalogue, type CatalogueTool, type MissingUpstream, ToolCatalogue } from './catalogue/tool-catalogue.js';
export { type Dialogue, RESOURCE_LISTS, type ResourceKind } from './mcp-client/index.js';
