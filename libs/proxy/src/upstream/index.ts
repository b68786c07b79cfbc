export { McpUpstreamClient } from './mcp-upstream-client.js';
export { type UpstreamTool, type UpstreamToolResult } from './mcp-protocol.js';
export { type UnreachableReason, UpstreamRpcError, UpstreamUnreachable } from './upstream.errors.js';
