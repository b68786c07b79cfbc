import { findUnstorable, stringifyJson, Turns } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { PageCursors } from './page-cursors.js';
import { UpstreamUnreachable } from './mcp-client.errors.js';

/** What an upstream has besides tools, as it describes it. What Haldir does not read is kept as it came. */
export interface ResourceLists {
  /** Each has a `uri` that no other has. */
  readonly resources: readonly JsonObject[];
  /** Each has a `uriTemplate` that no other has. */
  readonly templates: readonly JsonObject[];
  /** Each has a `name` that no other has. */
  readonly prompts: readonly JsonObject[];
  /** Whether it completes arguments. */
  readonly completions: boolean;
}

/** How the lists of MCP are called, and what tells their items apart. */
export const RESOURCE_LISTS = {
  resources: { method: 'resources/list', capability: 'resources', member: 'resources', key: 'uri', maxChars: 4_096 },
  templates: {
    ...{ method: 'resources/templates/list', capability: 'resources', member: 'resourceTemplates' },
    ...{ key: 'uriTemplate', maxChars: 4_096 },
  },
  prompts: { method: 'prompts/list', capability: 'prompts', member: 'prompts', key: 'name', maxChars: 256 },
} as const;
export type ResourceKind = keyof typeof RESOURCE_LISTS;

const MAX_PAGES = 50;
const MAX_ITEMS = 1_000;
/** Of all items of a list together. */
const MAX_CHARS = 1024 * 1024;
const LIMIT = 'at most 1,000 items of 1,048,576 characters together in a list of resources, templates or prompts';

/** Gathers the pages of one list from a server that may lie about them. */
export class ResourcePages {
  readonly items: JsonObject[] = [];
  private readonly keys = new Set<string>();
  private readonly cursors = new PageCursors(MAX_PAGES);
  private chars = 0;

  constructor(private readonly kind: ResourceKind) {}

  /**
   * Takes one page and answers the cursor of the next; null after the last. Items without a usable name or address are left
   * out, of equal ones the first counts.
   *
   * @throws UpstreamUnreachable when it is no page, when there is no end to them, or too much in them
   */
  async add(page: unknown, turns = new Turns()): Promise<string | null> {
    const { member, key, maxChars } = RESOURCE_LISTS[this.kind];
    if (!isObject(page) || !Array.isArray(page[member])) throw new UpstreamUnreachable('protocol');
    for (const item of page[member] as unknown[]) {
      if (turns.isOver) await turns.next();
      if (!isObject(item)) continue;
      const id = item[key];
      if (typeof id !== 'string' || id === '' || id.length > maxChars || this.keys.has(id)) continue;
      if (findUnstorable(item) !== null) continue;
      this.chars += stringifyJson(item).length;
      if (this.items.length >= MAX_ITEMS || this.chars > MAX_CHARS)
        throw new UpstreamUnreachable('too_large', { detail: LIMIT });
      this.keys.add(id);
      this.items.push(item);
    }
    return this.cursors.after(page);
  }
}
