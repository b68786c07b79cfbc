import { Injectable } from '@nestjs/common';
import { LogTree, type TreeHead } from '@haldir/audit-log';
import { Erasures, faultOf, Frontier, GENESIS_HASH, isSignedBy } from '@haldir/verifier';
import { type AuditEntry, AuditTrailRepository } from './audit-trail.repository.js';

export type ChainVerdict =
  | { verified: true; entriesChecked: number }
  | {
      verified: false;
      entriesChecked: number;
      /** Position of the first entry that is wrong or missing, as exactly as that can be told. */
      brokenAt: number;
      error: string;
    };

const AT_ONCE = 500;
const CHECKPOINTS_AT_ONCE = 1000;

/**
 * Checks a log from its first entry to its last: every column of every entry, their links, and that they are what was
 * signed. Takes about a second for some ten thousand entries. One log at a time in a process; who asks for one that is
 * under way gets that answer.
 */
@Injectable()
export class ChainVerification {
  private readonly running = new Map<string, Promise<ChainVerdict>>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly trail: AuditTrailRepository,
    private readonly tree: LogTree,
  ) {}

  verify(tenantId: string): Promise<ChainVerdict> {
    const known = this.running.get(tenantId);
    if (known) return known;
    const verdict = this.last
      .catch(() => undefined)
      .then(() => this.check(tenantId))
      .finally(() => this.running.delete(tenantId));
    this.running.set(tenantId, verdict);
    this.last = verdict;
    return verdict;
  }

  private async check(tenantId: string): Promise<ChainVerdict> {
    const head = await this.tree.head(tenantId);
    if (!isSignedBy(head, head, head.signature)) {
      return { verified: false, entriesChecked: 0, brokenAt: 0, error: 'the tree head is not signed by the log' };
    }
    // A log that was cut off is shorter than what was signed of it.
    const size = Math.max(await this.trail.size(tenantId), head.size);
    const frontier = new Frontier();
    const erasures = new Erasures();
    let previous: Buffer = GENESIS_HASH;
    let next = 0;
    const broken = (brokenAt: number, error: string): ChainVerdict => ({
      verified: false,
      entriesChecked: next,
      brokenAt,
      error,
    });
    for await (const entry of this.entries(tenantId, size)) {
      if (entry?.seq !== next) return broken(next, 'the entry is missing');
      const fault = faultOf(entry, previous);
      if (fault !== null) return broken(next, fault);
      previous = entry.entryHash;
      frontier.append(previous);
      erasures.see(entry, next);
      next++;
      if (next === head.size && !frontier.root().equals(head.root)) {
        return broken(await this.firstRewritten(head), 'the entries are not those that were signed');
      }
    }
    const erased = erasures.first();
    if (erased !== null) return broken(erased, 'details or context of the entry were removed without a record of it');
    return { verified: true, entriesChecked: next };
  }

  /** Every entry up to `size` in its order; ends with null where one is missing. */
  private async *entries(tenantId: string, size: number): AsyncGenerator<AuditEntry | null> {
    for (let from = 0; from < size;) {
      const to = Math.min(size, from + AT_ONCE);
      const { entries } = await this.trail.oldest(tenantId, {}, { from, to }, AT_ONCE);
      yield* entries;
      from += entries.length;
      if (from < to) {
        yield null;
        return;
      }
    }
  }

  /**
   * Where a history that is sound in itself departs from what was signed: behind the last checkpoint that still holds. The
   * entry itself is at or after that position.
   */
  private async firstRewritten(head: TreeHead): Promise<number> {
    const checkpoints: { size: number; root: Buffer }[] = [];
    for (let before: number | null = null; ;) {
      const page: TreeHead[] = await this.tree.history(head.tenantId, CHECKPOINTS_AT_ONCE, before);
      checkpoints.push(...page.map(({ size, root }) => ({ size, root })));
      if (page.length < CHECKPOINTS_AT_ONCE) break;
      before = page.at(-1)?.size ?? 0;
    }
    checkpoints.reverse();
    const frontier = new Frontier();
    let [good, next, at] = [0, 0, 0];
    for await (const entry of this.entries(head.tenantId, head.size)) {
      while (checkpoints[at] && (checkpoints[at]?.size ?? 0) === next) {
        if (next > 0 && !checkpoints[at]?.root.equals(frontier.root())) return good;
        good = next;
        at++;
      }
      if (!entry) break;
      frontier.append(entry.entryHash);
      next++;
    }
    return good;
  }
}
