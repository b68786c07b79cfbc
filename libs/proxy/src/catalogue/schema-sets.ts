import { canonicalJson, type JsonValue } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { SCHEMA_KEYWORDS, type UpstreamTool } from '../mcp-client/index.js';

/**
 * The tool with the sets of its schemas (`required`, `enum`, `type` and the like) in one order, each member once: servers that
 * make them of sets write them in another order at each start, and mean the same. Values that only look like a schema (of
 * `default`, `const`, `examples`, `enum`, or beside any keyword that is not known) stay as they are.
 */
export function withSetsInOrder(tool: UpstreamTool): UpstreamTool {
  const { inputSchema, outputSchema } = tool;
  return {
    ...tool,
    inputSchema: ordered(inputSchema) as JsonObject,
    ...(outputSchema === undefined ? {} : { outputSchema: ordered(outputSchema) }),
  };
}

function ordered(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, member]) => [keyword, orderedMember(keyword, member)]),
  );
}

function orderedMember(keyword: string, member: unknown): unknown {
  switch (SCHEMA_KEYWORDS.get(keyword)) {
    case 'names':
    case 'type':
    case 'enum':
      return asSet(member);
    case 'names map':
      return eachIn(member, asSet);
    case 'dependencies':
      return eachIn(member, (value) => (Array.isArray(value) ? asSet(value) : ordered(value)));
    case 'schema':
      return ordered(member);
    case 'items':
      return Array.isArray(member) ? member.map(ordered) : ordered(member);
    case 'list':
      return Array.isArray(member) ? member.map(ordered) : member;
    case 'map':
      return eachIn(member, ordered);
    default:
      return member;
  }
}

function eachIn(map: unknown, change: (value: unknown) => unknown): unknown {
  if (!isObject(map)) return map;
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}

function asSet(set: unknown): unknown {
  if (!Array.isArray(set)) return set;
  const byText = new Map(set.map((value) => [canonicalJson(value as JsonValue), value as unknown]));
  return [...byText.keys()].sort().map((text) => byText.get(text));
}
