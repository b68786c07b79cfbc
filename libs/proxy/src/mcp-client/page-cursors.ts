import { type JsonObject } from '@haldir/mcp';
import { UpstreamUnreachable } from './mcp-client.errors.js';

const MAX_CURSOR_CHARS = 8_192;

/** Follows the pages of a list to its end, of a server that may have none. */
export class PageCursors {
  private readonly seen = new Set<string>();
  private pages = 0;

  constructor(private readonly maxPages: number) {}

  /**
   * The cursor of the page after this one; null after the last.
   *
   * @throws UpstreamUnreachable when there is no end to them
   */
  after(page: JsonObject): string | null {
    this.pages++;
    const next = page['nextCursor'];
    if (typeof next !== 'string' || next === '') return null;
    if (this.pages >= this.maxPages || this.seen.has(next) || next.length > MAX_CURSOR_CHARS)
      throw new UpstreamUnreachable('too_large', {
        detail: `at most ${this.maxPages} pages, each with a cursor of its own`,
      });
    this.seen.add(next);
    return next;
  }
}
