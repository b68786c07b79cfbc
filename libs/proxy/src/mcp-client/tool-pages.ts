import { findUnstorable, Turns } from '@haldir/kernel';
import { isObject } from '@haldir/mcp';
import { type UpstreamTool } from './mcp-protocol.js';
import { PageCursors } from './page-cursors.js';
import { UpstreamUnreachable } from './mcp-client.errors.js';

export interface ToolPageLimits {
  readonly maxPages?: number;
  readonly maxTools?: number;
}

const MAX_NAME_CHARS = 256;

/** Gathers the pages of `tools/list` from a server that may lie about them; long ones in turns. */
export class ToolPages {
  readonly tools: UpstreamTool[] = [];
  private readonly names = new Set<string>();
  private readonly cursors: PageCursors;
  private readonly maxTools: number;

  constructor({ maxPages = 50, maxTools = 2_000 }: ToolPageLimits = {}) {
    this.cursors = new PageCursors(maxPages);
    this.maxTools = maxTools;
  }

  /**
   * Takes one page and answers the cursor of the next; null after the last.
   *
   * @throws UpstreamUnreachable when it is no page, when there is no end to them, or too much in them
   */
  async add(page: unknown, turns = new Turns()): Promise<string | null> {
    if (!isObject(page) || !Array.isArray(page['tools'])) throw new UpstreamUnreachable('protocol');
    for (const tool of page['tools'] as unknown[]) {
      if (turns.isOver) await turns.next();
      if (!isNamed(tool) || this.names.has(tool.name) || findUnstorable(tool) !== null) continue;
      if (this.tools.length >= this.maxTools)
        throw new UpstreamUnreachable('too_large', { detail: `at most ${this.maxTools} tools` });
      this.names.add(tool.name);
      this.tools.push(normalised(tool));
    }
    return this.cursors.after(page);
  }
}

function isNamed(tool: unknown): tool is { name: string; [member: string]: unknown } {
  if (!isObject(tool) || typeof tool['name'] !== 'string') return false;
  const { name } = tool;
  return name.length > 0 && name.length <= MAX_NAME_CHARS;
}

function normalised(tool: { name: string; [member: string]: unknown }): UpstreamTool {
  const { description, inputSchema, annotations, ...rest } = tool;
  return {
    ...rest,
    ...(typeof description === 'string' ? { description } : {}),
    inputSchema: isObject(inputSchema) ? inputSchema : { type: 'object' },
    ...(isObject(annotations) ? { annotations } : {}),
  };
}
