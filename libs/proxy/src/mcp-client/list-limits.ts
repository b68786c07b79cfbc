import { type Turns } from '@haldir/kernel';
import { UpstreamUnreachable } from './mcp-client.errors.js';

/** One answer with a page of a list: as much as is parsed while nobody notices. */
const MAX_PAGE_BYTES = 1024 * 1024;
/** All pages of a list. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;

const PAGE_LIMIT = 'at most 1 MiB for a page of a list';
const LIST_LIMIT = 'at most 4 MiB for all pages of a list';

/** How much an upstream may still say of one of its lists. */
export class ListLimits {
  private left = MAX_LIST_BYTES;

  /** What the next page may take, in bytes. */
  get pageBytes(): number {
    return Math.min(MAX_PAGE_BYTES, this.left);
  }

  /**
   * Asks for a page, and counts what it took.
   *
   * @throws UpstreamUnreachable that names the limit when there is too much
   */
  async take(ask: (maxBytes: number) => Promise<{ result: unknown; bytes: number }>): Promise<unknown> {
    try {
      const { result, bytes } = await ask(this.pageBytes);
      this.left -= bytes;
      if (this.left <= 0) throw new UpstreamUnreachable('too_large');
      return result;
    } catch (error) {
      if (!(error instanceof UpstreamUnreachable) || error.reason !== 'too_large') throw error;
      const detail = error.detail ?? (this.left < MAX_PAGE_BYTES ? LIST_LIMIT : PAGE_LIMIT);
      throw new UpstreamUnreachable('too_large', { detail, cause: error.cause });
    }
  }
}

/**
 * Lets everybody else have a turn while a list is read.
 *
 * @throws UpstreamUnreachable when the list should be there by now, however long it takes to read
 */
export async function nextTurn(turns: Turns, deadlineAt: number): Promise<void> {
  await turns.next();
  if (performance.now() > deadlineAt) throw new UpstreamUnreachable('timeout');
}
