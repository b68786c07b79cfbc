export { type CallOptions, McpUpstreamClient, type Presentation } from './mcp-client.js';
export { type Dialogue, type InputRequired, isInputRequired } from './mcp-protocol.js';
export { type Progress, type UpstreamTool, type UpstreamToolResult } from './mcp-protocol.js';
export { type Mask } from './json-rpc-transport.js';
export { OFFER_LISTS, type OfferKind, type Offers } from './resource-pages.js';
export { type UnreachableReason, UpstreamRpcError, UpstreamUnreachable } from './upstream.errors.js';
