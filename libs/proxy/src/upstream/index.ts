export { type CallOptions, McpUpstreamClient } from './mcp-upstream-client.js';
export { type Dialogue, type InputRequired, isInputRequired } from './mcp-protocol.js';
export { type Progress, type UpstreamTool, type UpstreamToolResult } from './mcp-protocol.js';
export { OFFER_LISTS, type OfferKind, type Offers } from './offer-pages.js';
export { type UnreachableReason, UpstreamRpcError, UpstreamUnreachable } from './upstream.errors.js';
