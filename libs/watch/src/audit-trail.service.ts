import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, Clock } from '@haldir/kernel';
import { AuditLog, LogTree, type TreeHead } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { ERASURE_ACTION } from '@haldir/verifier';
import {
  type AuditEntry,
  type AuditFilter,
  AuditTrailRepository,
  type FoundEntries,
} from './audit-trail.repository.js';
import { type ExportManifest } from './export-manifest.js';
import { AuditEntryNotFound, NothingToErase } from './watch.errors.js';

const OLDER_CHECKPOINTS = 200;

const AT_ONCE = 500;

@Injectable()
export class AuditTrailService {
  constructor(
    private readonly trail: AuditTrailRepository,
    private readonly tree: LogTree,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  list(tenantId: string, filter: AuditFilter, limit: number, before: number | null): Promise<FoundEntries> {
    return this.trail.newest(tenantId, filter, limit, before);
  }

  /** The entry at a position, as it is without what can be erased: enough to compute its hash. Null where there is none. */
  async bareAt(tenantId: string, seq: number): Promise<AuditEntry | null> {
    const {
      entries: [entry],
    } = await this.trail.oldest(tenantId, {}, { from: seq, to: seq + 1 }, 1);
    return entry ? { ...entry, details: null, detailsSalt: null, context: null, contextSalt: null } : null;
  }

  /**
   * Erases the details of an entry for good, and with them its context: who acted is then known by its opaque id alone. The
   * entry, its hash and every proof stay as they were, because both are hashed only through salted commitments; that they were
   * erased is itself an entry.
   *
   * @throws AuditEntryNotFound, NothingToErase
   */
  async eraseDetails(tx: Tx, actor: Actor, entryId: string): Promise<void> {
    const { found, erased } = await this.trail.in(tx).eraseDetails(actor.tenantId, entryId);
    if (!found) throw new AuditEntryNotFound();
    if (!erased) throw new NothingToErase();
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: 'haldir.watch',
      action: ERASURE_ACTION,
      details: { entry_id: entryId, by: actor.id },
    });
  }

  /** The tree head up to which an export goes: what is appended meanwhile is not in it. */
  exportHead(tenantId: string): Promise<TreeHead> {
    return this.tree.head(tenantId);
  }

  /**
   * Entries under `head`, oldest first, some at a time; returns their manifest. Nothing is held in memory, however long
   * the log is.
   */
  async *export(head: TreeHead, filter: AuditFilter): AsyncGenerator<AuditEntry[], ExportManifest> {
    const { tenantId } = head;
    const ids = createHash('sha256');
    let count = 0;
    let first: AuditEntry | null = null;
    let last: AuditEntry | null = null;
    for (let from = 0; from < head.size;) {
      const { entries, lookedTo } = await this.trail.oldest(tenantId, filter, { from, to: head.size }, AT_ONCE);
      for (const entry of entries) ids.update(`${entry.entryId}\n`);
      count += entries.length;
      first ??= entries[0] ?? null;
      last = entries.at(-1) ?? last;
      if (entries.length > 0) yield entries;
      if (entries.length < AT_ONCE && lookedTo === null) break;
      from = (lookedTo ?? last?.seq ?? head.size) + 1;
    }
    return {
      tenantId,
      generatedAt: this.clock.now(),
      count,
      first,
      last,
      sha256: ids.digest('hex'),
      head,
      olderCheckpoints: await this.tree.notesBefore(tenantId, head.size, OLDER_CHECKPOINTS),
    };
  }

  /** A manifest as it is shown, signed by the log: nothing in it can be changed unseen. */
  sign<Manifest extends Readonly<Record<string, unknown>>>(
    tenantId: string,
    manifest: Manifest,
  ): Promise<Manifest & { signature: string }> {
    return this.tree.signManifest(tenantId, manifest);
  }

  /** The manifest that an export with this filter would end with now. */
  async manifest(tenantId: string, filter: AuditFilter): Promise<ExportManifest> {
    const entries = this.export(await this.exportHead(tenantId), filter);
    for (;;) {
      const { done, value } = await entries.next();
      if (done) return value;
    }
  }
}
