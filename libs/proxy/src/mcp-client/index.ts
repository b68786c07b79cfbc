export { McpClient } from './mcp-client.js';
export { type CallOptions, type Presentation } from './mcp-client.options.js';
export {
  type Dialogue,
  type ClientElicitation,
  type Elicitation,
  type InputRequired,
  isInputRequired,
} from './mcp-protocol.js';
export { type UpstreamTool, type UpstreamToolResult } from './mcp-protocol.js';
export { type Mask } from './transport.js';
export { type RefusedDefinition, repairedTool } from './definition-repair.js';
export {
  readableLists,
  RESOURCE_LISTS,
  type RefusedResources,
  type ResourceKind,
  type ResourceLists,
} from './resource-pages.js';
export { type SessionPlace, type SessionPlaces, type SessionsOf, type UpstreamSession } from './session-place.js';
export { UpstreamTask } from './upstream-task.js';
export { type ToolList } from './tool-pages.js';
export { pointerTo } from './schema-references.js';
export { SCHEMA_KEYWORDS } from './schema-keywords.js';
export {
  MAX_DEFINITION_CHARS,
  type RefusingCircuit,
  UnfitDefinition,
  type UnreachableReason,
  UpstreamRpcError,
  UpstreamUnreachable,
} from './mcp-client.errors.js';
