import { stringifyJson, Turns } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { type RefusedDefinition, refusedAs, repairedPrompt, repairedResource } from './definition-repair.js';
import { nextTurn } from './list-limits.js';
import { PageCursors } from './page-cursors.js';
import { UnfitDefinition, UpstreamUnreachable } from './mcp-client.errors.js';

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

/** Of each list the items that were not taken, and why. */
export type RefusedResources = Readonly<Record<ResourceKind, readonly RefusedDefinition[]>>;

/** How the lists of MCP are called, and what tells their items apart. */
export const RESOURCE_LISTS = {
  resources: { method: 'resources/list', capability: 'resources', member: 'resources', key: 'uri', maxChars: 4_096 },
  templates: {
    method: 'resources/templates/list',
    capability: 'resources',
    member: 'resourceTemplates',
    key: 'uriTemplate',
    maxChars: 4_096,
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
  readonly refused: RefusedDefinition[] = [];
  private readonly keys = new Set<string>();
  private readonly cursors = new PageCursors(MAX_PAGES);
  private chars = 0;
  private read = 0;

  constructor(readonly kind: ResourceKind) {}

  /**
   * Takes one page and answers the cursor of the next; null after the last. Of equal names or addresses the first counts.
   *
   * @param deadlineAt of the whole list, as `performance.now` has it
   * @throws UpstreamUnreachable when it is no page, when there is no end to them, or too much in them
   */
  async add(page: unknown, deadlineAt = Infinity): Promise<string | null> {
    const turns = new Turns();
    const { member, key } = RESOURCE_LISTS[this.kind];
    if (!isObject(page) || !Array.isArray(page[member])) throw new UpstreamUnreachable('protocol');
    for (const item of page[member] as unknown[]) {
      if (turns.isOver) await nextTurn(turns, deadlineAt);
      this.read++;
      try {
        const taken = this.taken(item);
        this.chars += stringifyJson(taken).length;
        if (this.items.length >= MAX_ITEMS || this.chars > MAX_CHARS)
          throw new UpstreamUnreachable('too_large', { detail: LIMIT });
        this.items.push(taken);
      } catch (error) {
        if (!(error instanceof UnfitDefinition)) throw error;
        if (this.refused.length < MAX_ITEMS)
          this.refused.push(refusedAs(isObject(item) ? item[key] : null, this.read, error.message));
      }
    }
    return this.cursors.after(page);
  }

  /** @throws UnfitDefinition */
  private taken(item: unknown): JsonObject {
    const { key, maxChars } = RESOURCE_LISTS[this.kind];
    const id = isObject(item) ? item[key] : undefined;
    if (!isObject(item) || typeof id !== 'string' || id === '' || id.length > maxChars)
      throw new UnfitDefinition(`it has no ${key} of 1 to ${maxChars} characters`);
    if (this.keys.has(id)) throw new UnfitDefinition(`one before it in the list has its ${key}`);
    const repaired = repairedItem(this.kind, item, id);
    this.keys.add(id);
    return repaired;
  }
}

/** What an earlier version kept as it came, without what clients cannot read. In turns. */
export async function readableLists(lists: ResourceLists): Promise<ResourceLists> {
  const turns = new Turns();
  const readable = async (kind: ResourceKind): Promise<JsonObject[]> => {
    const items: JsonObject[] = [];
    for (const item of lists[kind]) {
      if (turns.isOver) await turns.next();
      try {
        items.push(repairedItem(kind, item, String(item[RESOURCE_LISTS[kind].key])));
      } catch (error) {
        if (!(error instanceof UnfitDefinition)) throw error;
      }
    }
    return items;
  };
  const [resources, templates] = [await readable('resources'), await readable('templates')];
  return { resources, templates, prompts: await readable('prompts'), completions: lists.completions };
}

function repairedItem(kind: ResourceKind, item: JsonObject, id: string): JsonObject {
  return kind === 'prompts' ? repairedPrompt(item) : repairedResource(item, id);
}
