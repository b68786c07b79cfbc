export { McpClient } from './mcp-client.js';
export { type CallOptions, type Presentation } from './mcp-client.options.js';
export { type Dialogue, type InputRequired, isInputRequired } from './mcp-protocol.js';
export { type UpstreamTool, type UpstreamToolResult } from './mcp-protocol.js';
export { type Mask } from './json-rpc-transport.js';
export { RESOURCE_LISTS, type ResourceKind, type ResourceLists } from './resource-pages.js';
export { type UnreachableReason, UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
