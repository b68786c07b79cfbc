import { createHash, type Hash, hash } from 'node:crypto';
import { canonicalJson, type JsonValue, Turns, visibleJson, visibleText } from '@haldir/kernel';
import { isObject } from '@haldir/mcp';
import { type UpstreamTool } from '../mcp-client/index.js';

/** A tool with the fingerprint of its definition. */
export interface ListedDefinition {
  tool: UpstreamTool;
  fingerprint: Buffer;
}

/** SHA-256 of the RFC 8785 JSON of all that the upstream says of the tool, its name included: 32 bytes. */
export function fingerprintOf(tool: UpstreamTool): Buffer {
  return hash('sha256', canonicalJson(tool as unknown as JsonValue), 'buffer');
}

/** Tells a list of tools from others: the SHA-256 of its RFC 8785 JSON, made in turns. */
export async function digestOfList(tools: readonly UpstreamTool[]): Promise<Buffer> {
  const digest = createHash('sha256');
  await addList(digest, tools);
  return digest.digest();
}

/** Adds the RFC 8785 JSON of a list to a digest, in turns. */
export async function addList(digest: Hash, items: readonly unknown[]): Promise<void> {
  const turns = new Turns();
  for (const [i, item] of items.entries()) {
    if (turns.isOver) await turns.next();
    digest.update(i === 0 ? '[' : ',').update(canonicalJson(item as JsonValue));
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
      compare(`${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, ours.get(key), theirs.get(key));
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
