export { CallConclusions } from './calls/call-conclusions.js';
export { ResourceCatalogue, type VisibleResources } from './catalogue/resource-catalogue.js';
export { type NewRead } from './calls/resource-read.js';
export { ResourceReadService } from './calls/resource-read.service.js';
export { type ShownResource } from './catalogue/resource-lookup.js';
export { CALL_SCOPES, type CallOutcome, type PerformedCall, type ReadOutcome } from './calls/call-outcome.js';
export { attemptOf, isRefused, MISMATCHED, refusalOf, type RefusedOutcome } from './calls/outcome-table.js';
export { type CallWatch } from './calls/call-request.js';
export { type NewCall } from './calls/tool-call.js';
export { ToolCallService } from './calls/tool-call.service.js';
export { ProxyModule } from './proxy.module.js';
export { SEALED_UPSTREAM_HEADERS } from './upstreams/upstream-credentials.js';
export { SEALED_UPSTREAM_SESSIONS } from './upstreams/upstream-sessions.js';
export { type Catalogue, type CatalogueTool, type MissingUpstream, ToolCatalogue } from './catalogue/tool-catalogue.js';
export { ToolSearch } from './catalogue/tool-search.js';
export {
  type Dialogue,
  type ClientElicitation,
  type RefusingCircuit,
  RESOURCE_LISTS,
  type ResourceKind,
} from './mcp-client/index.js';
