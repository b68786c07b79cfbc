import { type LoggedEntry } from './entry-check.js';

/** The action of the entry that records an erasure; Haldir writes it, and its details name the entry that was erased. */
export const ERASURE_ACTION = 'audit_details_erased';

/**
 * Details and context may be erased and the entry still verifies, but only on the record: a later entry says so. Whoever
 * removes them silently is found by this.
 */
export class Erasures {
  private readonly unexplained = new Map<string, number>();

  /** To be called for each entry in the log's order. */
  see(entry: LoggedEntry, index: number): void {
    const isErased =
      (entry.details === null && entry.detailsHash !== null) || (entry.context === null && entry.contextHash !== null);
    if (isErased) this.unexplained.set(entry.entryId, index);
    if (entry.action !== ERASURE_ACTION || entry.source !== 'haldir' || entry.details === null) return;
    const erased = erasedEntryId(entry.details);
    if (erased !== null) this.unexplained.delete(erased);
  }

  /** The first entry of which something is gone without a record; null when there is none. */
  first(): number | null {
    return this.unexplained.size === 0 ? null : Math.min(...this.unexplained.values());
  }
}

function erasedEntryId(details: string): string | null {
  try {
    const { entry_id: entryId } = JSON.parse(details) as { entry_id?: unknown };
    return typeof entryId === 'string' ? entryId : null;
  } catch {
    return null;
  }
}
