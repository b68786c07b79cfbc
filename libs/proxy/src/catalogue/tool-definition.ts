import { createHash, type Hash, hash } from 'node:crypto';
import { canonicalJson, type JsonValue, Turns, visibleJson, visibleText } from '@haldir/kernel';
import { isObject } from '@haldir/mcp';
import { pointerTo, type ToolList, type UpstreamTool } from '../mcp-client/index.js';
import { withSetsInOrder } from './schema-sets.js';

/** A tool with the fingerprint of its definition. */
export interface ListedDefinition {
  tool: UpstreamTool;
  fingerprint: Buffer;
}

/**
 * SHA-256 of the RFC 8785 JSON of all that the upstream says of the tool, its name included, with the sets of its schemas in one
 * order: 32 bytes. What is not said as clients can read it counts as it is repaired.
 */
export function fingerprintOf(tool: UpstreamTool): Buffer {
  return hash('sha256', canonicalJson(withSetsInOrder(tool) as unknown as JsonValue), 'buffer');
}

/** Raised when the same list has to be looked at anew: its digest is another then. */
const LOOK = 'look 2\n';

/** Tells a list of tools from others, whatever the order of the sets in their schemas: SHA-256, made in turns. */
export async function digestOfList({ tools, refused }: ToolList): Promise<Buffer> {
  const digest = createHash('sha256').update(LOOK);
  await addList(digest, tools, (tool) => withSetsInOrder(tool as UpstreamTool));
  if (refused.length > 0) await addList(digest, refused);
  return digest.digest();
}

/** Adds the RFC 8785 JSON of a list to a digest, in turns. */
export async function addList(
  digest: Hash,
  items: readonly unknown[],
  stated: (item: unknown) => unknown = (item) => item,
): Promise<void> {
  const turns = new Turns();
  for (const [i, item] of items.entries()) {
    if (turns.isOver) await turns.next();
    digest.update(i === 0 ? '[' : ',').update(canonicalJson(stated(item) as JsonValue));
  }
  digest.update(items.length === 0 ? '[]' : ']');
}

/** Where two definitions differ. What only one of them has is missing in the other's place. */
export interface DefinitionChange {
  /** A JSON pointer (RFC 6901). */
  path: string;
  was?: JsonValue;
  is?: JsonValue;
}

/** Beyond these, what differs is shown as the two definitions whole. */
const MAX_CHANGES = 200;
const MAX_PATH_CHARS = 65_536;

/** Every difference between two definitions, in the order of members, with hidden characters made visible. */
export function changesBetween(was: UpstreamTool, is: UpstreamTool): DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  let pathChars = 0;
  const note = (change: DefinitionChange): void => {
    pathChars += change.path.length;
    changes.push(change);
  };
  const compare = (path: string, before: JsonValue | undefined, after: JsonValue | undefined): void => {
    if (changes.length > MAX_CHANGES || pathChars > MAX_PATH_CHARS) return;
    if (before === undefined || after === undefined) {
      if (before !== after)
        note({ path, ...(before === undefined ? {} : { was: before }), ...(after === undefined ? {} : { is: after }) });
      return;
    }
    const [ours, theirs] = [membersOf(before), membersOf(after)];
    if (!ours || !theirs || Array.isArray(before) !== Array.isArray(after)) {
      if (canonicalJson(before) !== canonicalJson(after)) note({ path, was: before, is: after });
      return;
    }
    for (const key of new Set([...ours.keys(), ...theirs.keys()]))
      compare(pointerTo(path, key), ours.get(key), theirs.get(key));
  };
  const [before, after] = [was as JsonValue, is as JsonValue];
  compare('', before, after);
  const whole = changes.length > MAX_CHANGES || pathChars > MAX_PATH_CHARS;
  return (whole ? [{ path: '', was: before, is: after }] : changes).map(({ path, ...values }) => ({
    path: visibleText(path),
    ...visibleJson(values),
  }));
}

/** Of an object or a list; null for anything else. */
function membersOf(value: JsonValue): Map<string, JsonValue | undefined> | null {
  return Array.isArray(value) || isObject(value) ? new Map<string, JsonValue | undefined>(Object.entries(value)) : null;
}
