import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, HaldirError } from '@haldir/kernel';
import { LogTree, type TreeHead } from '@haldir/audit-log';
import { Erasures, writeEntry } from '@haldir/verifier';
import { type AuditEntry, AuditTrailRepository } from './audit-trail.repository.js';
import { describeManifest } from './export-manifest.js';

const AT_ONCE = 200;
const OLDER_CHECKPOINTS = 100;
/** How often the end is moved for the records of what is erased meanwhile. */
const MAX_ROUNDS = 10;

/** What was signed is not there any more: somebody has been at the log behind Haldir's back. */
export class LogIncomplete extends HaldirError {
  constructor() {
    super('conflict', 'The log does not hold what was signed of it; GET /v1/audit/verify says where it is broken', {
      code: 'log_incomplete',
    });
  }
}

/** A log from its beginning to the end of a period, in the lines of an export without filters. */
@Injectable()
export class WholeLog {
  constructor(
    private readonly trail: AuditTrailRepository,
    private readonly tree: LogTree,
    private readonly clock: Clock,
  ) {}

  /** The earliest tree head that holds every entry up to `until`, and one more to show it; the newest where there is none yet. */
  async headBehind(tenantId: string, until: Date): Promise<TreeHead> {
    return this.tree.firstHolding(tenantId, (await this.trail.positionBehind(tenantId, until)) + 1);
  }

  /** Notes of trees smaller than `head`, oldest first, evenly spread. */
  olderCheckpoints(head: TreeHead): Promise<string[]> {
    return this.tree.notesBefore(head.tenantId, head.size, OLDER_CHECKPOINTS);
  }

  /**
   * The lines, some at a time, with the manifest as the last; answers the tree head that it ends with. That is `head`, unless
   * details were erased whose record is behind it: the lines go on to that.
   *
   * @param see told each entry in its order
   * @throws LogIncomplete
   */
  async *lines(head: TreeHead, see: (entry: AuditEntry) => void): AsyncGenerator<string, TreeHead> {
    const { tenantId } = head;
    const ids = createHash('sha256');
    const erasures = new Erasures();
    let first: AuditEntry | null = null;
    let last: AuditEntry | null = null;
    let count = 0;
    for (let round = 0; ; round++) {
      while (count < head.size) {
        const { entries } = await this.trail.oldest(tenantId, {}, { from: count, to: head.size }, AT_ONCE);
        for (const entry of entries) {
          if (entry.seq !== count) throw new LogIncomplete();
          ids.update(`${entry.entryId}\n`);
          erasures.see(entry, count++);
          see(entry);
          first ??= entry;
          last = entry;
        }
        if (entries.length === 0) throw new LogIncomplete();
        yield entries.map((entry) => `${JSON.stringify(writeEntry(entry, entry.seq))}\n`).join('');
      }
      // An erasure and its record are committed together, so the record is in every head that is asked for now.
      const newest = erasures.first() === null || round === MAX_ROUNDS ? head : await this.tree.head(tenantId);
      if (newest.size <= head.size) break;
      head = newest;
    }
    const facts = { tenantId, generatedAt: this.clock.now(), count, first, last, sha256: ids.digest('hex'), head };
    const manifest = describeManifest({ ...facts, olderCheckpoints: await this.olderCheckpoints(head) }, {});
    yield `${JSON.stringify(await this.tree.signManifest(tenantId, manifest))}\n`;
    return head;
  }

  /** The lines of the entries at some positions, oldest first. */
  async linesAt(tenantId: string, positions: readonly number[]): Promise<string> {
    const entries = await this.trail.at(tenantId, positions);
    return entries.map((entry) => `${JSON.stringify(writeEntry(entry, entry.seq))}\n`).join('');
  }
}
