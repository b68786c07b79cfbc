export { type CallOptions, McpUpstreamClient, type UpstreamClientOptions } from './mcp-upstream-client.js';
export { type UpstreamTool, type UpstreamToolResult } from './mcp-protocol.js';
export { type ToolPageLimits } from './tool-pages.js';
export { type UnreachableReason, UpstreamRpcError, UpstreamUnreachable } from './upstream.errors.js';
