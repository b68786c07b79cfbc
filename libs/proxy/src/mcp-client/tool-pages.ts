import { Turns } from '@haldir/kernel';
import { isObject } from '@haldir/mcp';
import { type RefusedDefinition, refusedAs, repairedTool } from './definition-repair.js';
import { type UpstreamTool } from './mcp-protocol.js';
import { nextTurn } from './list-limits.js';
import { PageCursors } from './page-cursors.js';
import { UnfitDefinition, UpstreamUnreachable } from './mcp-client.errors.js';

export interface ToolPageLimits {
  readonly maxPages?: number;
  readonly maxTools?: number;
}

/** What an upstream says of its tools. */
export interface ToolList {
  /** Each has a name that no other has, and is what clients can read. */
  readonly tools: readonly UpstreamTool[];
  /** Of the others, as many at most as there may be tools, which they are and why they are not taken, in the order of the list. */
  readonly refused: readonly RefusedDefinition[];
}

const MAX_NAME_CHARS = 256;

/** Gathers the pages of `tools/list` from a server that may lie about them; long ones in turns. */
export class ToolPages implements ToolList {
  readonly tools: UpstreamTool[] = [];
  readonly refused: RefusedDefinition[] = [];
  private readonly names = new Set<string>();
  private readonly cursors: PageCursors;
  private readonly maxTools: number;
  private read = 0;

  constructor({ maxPages = 50, maxTools = 2_000 }: ToolPageLimits = {}) {
    this.cursors = new PageCursors(maxPages);
    this.maxTools = maxTools;
  }

  /**
   * Takes one page and answers the cursor of the next; null after the last. Of equal names the first counts.
   *
   * @param deadlineAt of the whole list, as `performance.now` has it
   * @throws UpstreamUnreachable when it is no page, when there is no end to them, or too much in them
   */
  async add(page: unknown, deadlineAt = Infinity): Promise<string | null> {
    const turns = new Turns();
    if (!isObject(page) || !Array.isArray(page['tools'])) throw new UpstreamUnreachable('protocol');
    for (const tool of page['tools'] as unknown[]) {
      if (turns.isOver) await nextTurn(turns, deadlineAt);
      this.read++;
      try {
        const taken = this.taken(tool);
        if (this.tools.length >= this.maxTools)
          throw new UpstreamUnreachable('too_large', { detail: `at most ${this.maxTools} tools` });
        this.tools.push(taken);
      } catch (error) {
        if (!(error instanceof UnfitDefinition)) throw error;
        if (this.refused.length < this.maxTools)
          this.refused.push(refusedAs(isObject(tool) ? tool['name'] : null, this.read, error.message));
      }
    }
    return this.cursors.after(page);
  }

  /** @throws UnfitDefinition */
  private taken(tool: unknown): UpstreamTool {
    if (!isNamed(tool)) throw new UnfitDefinition(`it has no name of 1 to ${MAX_NAME_CHARS} characters`);
    if (this.names.has(tool.name)) throw new UnfitDefinition('a tool before it in the list has its name');
    const repaired = repairedTool(tool);
    this.names.add(tool.name);
    return repaired;
  }
}

function isNamed(tool: unknown): tool is { name: string; [member: string]: unknown } {
  if (!isObject(tool) || typeof tool['name'] !== 'string') return false;
  const { name } = tool;
  return name.length > 0 && name.length <= MAX_NAME_CHARS;
}
