import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { manifestBody } from '@haldir/verifier';
import { type LogKey, signCheckpoint, signNote } from './log-key.js';
import { LogKeys } from './log-keys.js';
import { type LeafRow, TreeGrowth, type TreeRow } from './tree-growth.js';

/** A signed statement of what a log holds. */
export interface TreeHead {
  tenantId: string;
  origin: string;
  publicKey: Buffer;
  size: number;
  root: Buffer;
  signedAt: Date;
  /** Ed25519, over the checkpoint's lines. */
  signature: Buffer;
  /** The C2SP signed note. */
  note: string;
}

/** The entries do not continue what was signed: nothing is signed on top of them. */
class LogDiverged extends Error {}

/** Leaves in one answer of the database at most, whatever the number of logs. */
const LEAVES_AT_ONCE = 4096;
/** Logs that are signed in one transaction at most. */
const LOGS_AT_ONCE = 64;

const lockTree = {
  name: 'audit_tree.lock.v3',
  text: 'SELECT tenant_id, size, frontier, last_hash FROM audit_tree_lock($1, true)',
};
const tryLockTree = {
  name: 'audit_tree.try_lock.v3',
  text: 'SELECT tenant_id, size, frontier, last_hash FROM audit_tree_lock($1, false)',
};
const extendTrees = {
  name: 'audit_tree.extend.v2',
  text: 'SELECT audit_tree_extend($1, $2, $3, $4, $5, $6, $7, $8)',
};
const readHeads = {
  name: 'audit_head.sizes.v1',
  text: 'SELECT tenant_id, size FROM audit_head WHERE tenant_id = ANY ($1)',
};
// Sorted inside, so that each range is one walk along the index.
const readLeaves = {
  name: 'audit_entry.leaves.v2',
  text: `SELECT w.tenant_id, e.seq, e.prev_hash, e.entry_hash
           FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS w(tenant_id, first, until)
          CROSS JOIN LATERAL (SELECT seq, prev_hash, entry_hash FROM audit_entry
                               WHERE tenant_id = w.tenant_id AND seq >= w.first AND seq < w.until ORDER BY seq) AS e`,
};
const newestCheckpoints = {
  name: 'audit_checkpoint.newest.v2',
  text: `SELECT w.tenant_id, c.* FROM unnest($1::text[]) AS w(tenant_id)
          CROSS JOIN LATERAL (SELECT tree_size, root_hash, signed_at, signature, note FROM audit_checkpoint
                               WHERE tenant_id = w.tenant_id ORDER BY tree_size DESC LIMIT 1) AS c`,
};
const newestWithSize = {
  name: 'audit_checkpoint.newest_with_size.v1',
  text: `SELECT c.tree_size, c.root_hash, c.signed_at, c.signature, c.note, h.size AS log_size
           FROM audit_head h JOIN audit_checkpoint c ON c.tenant_id = h.tenant_id
          WHERE h.tenant_id = $1 ORDER BY c.tree_size DESC LIMIT 1`,
};
const checkpointPage = {
  name: 'audit_checkpoint.page.v1',
  text: `SELECT tree_size, root_hash, signed_at, signature, note FROM audit_checkpoint
          WHERE tenant_id = $1 AND ($2::bigint IS NULL OR tree_size < $2) ORDER BY tree_size DESC LIMIT $3`,
};
const spreadNotes = {
  name: 'audit_checkpoint.spread.v1',
  text: `SELECT note FROM (
           SELECT note, tree_size, row_number() OVER (ORDER BY tree_size DESC) AS n, count(*) OVER () AS total
             FROM audit_checkpoint WHERE tenant_id = $1 AND tree_size < $2 AND tree_size > 0) AS c
          WHERE (n - 1) % ceil(total / $3::numeric)::bigint = 0 ORDER BY tree_size`,
};
const unsigned = {
  name: 'audit_tree.unsigned.v2',
  text: `SELECT h.tenant_id FROM audit_head h JOIN audit_tree t ON t.tenant_id = h.tenant_id WHERE h.size > t.size`,
};

interface CheckpointRow {
  tree_size: string;
  root_hash: Buffer;
  signed_at: Date;
  signature: Buffer;
  note: string;
}

/**
 * The Merkle tree over each log (RFC 6962): grows with the committed entries and is signed as it grows. A checkpoint
 * continues the one before it by construction, because the tree is taken up where it was signed last and never built anew.
 */
@Injectable()
export class LogTree {
  constructor(
    private readonly keys: LogKeys,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * The newest tree head, if it holds at least `size` entries; else one signed now, over every entry committed before the
   * call. If the entries do not continue what was signed before, the last one that was signed.
   *
   * @param size null for all entries there are
   */
  async head(tenantId: string, size: number | null = null): Promise<TreeHead> {
    const key = await this.keys.of(tenantId);
    const [newest] = await this.transactions.query<CheckpointRow & { log_size: string }>(newestWithSize, [tenantId]);
    const enough = newest && Number(newest.tree_size) >= (size ?? Number(newest.log_size));
    const row = enough ? newest : (await this.grow([tenantId], lockTree)).get(tenantId);
    if (!row) throw new Error('a lock that was waited for was not given');
    return this.toHead(tenantId, key, row);
  }

  /** Up to `limit` checkpoints, newest first, of trees smaller than `before`. */
  async history(tenantId: string, limit: number, before: number | null): Promise<TreeHead[]> {
    const key = await this.keys.of(tenantId);
    const rows = await this.transactions.query<CheckpointRow>(checkpointPage, [tenantId, before, limit]);
    return rows.map((row) => this.toHead(tenantId, key, row));
  }

  /** Notes of trees smaller than `size`, oldest first; at most `most` of them, evenly spread. */
  async notesBefore(tenantId: string, size: number, most: number): Promise<string[]> {
    const rows = await this.transactions.query<{ note: string }>(spreadNotes, [tenantId, size, most]);
    return rows.map(({ note }) => note);
  }

  /** The manifest of an export with the log's own signature over all its members: a C2SP signed note in `signature`. */
  async signManifest<Manifest extends Readonly<Record<string, unknown>>>(
    tenantId: string,
    manifest: Manifest,
  ): Promise<Manifest & { signature: string }> {
    const key = await this.keys.of(tenantId);
    return { ...manifest, signature: signNote(key, manifestBody(key.origin, manifest)).note };
  }

  /** Signs every log that has grown since it was signed last, many in one commit, leaving those that someone else is at. */
  async signGrown(): Promise<void> {
    const rows = await this.transactions.queryAll<{ tenant_id: string }>(unsigned);
    for (let i = 0; i < rows.length; i += LOGS_AT_ONCE) {
      await this.signEach(rows.slice(i, i + LOGS_AT_ONCE).map(({ tenant_id: tenantId }) => tenantId));
    }
  }

  /** Age in seconds of the oldest entry that no checkpoint holds yet; 0 when all are signed. */
  async lagSeconds(): Promise<number> {
    const [row] = await this.transactions.queryAll<{ oldest: Date | null }>({
      name: 'audit_tree.lag.v2',
      text: `SELECT min(e.at) AS oldest FROM audit_head h JOIN audit_tree t ON t.tenant_id = h.tenant_id
               JOIN audit_entry e ON e.tenant_id = h.tenant_id AND e.seq = t.size
              WHERE h.size > t.size`,
    });
    return row?.oldest ? Math.max(0, this.clock.now().getTime() - row.oldest.getTime()) / 1000 : 0;
  }

  /** In one commit, or, when that fails, in one each: one tenant's trouble holds up no other. */
  private async signEach(tenants: readonly string[]): Promise<void> {
    try {
      await this.grow(tenants, tryLockTree);
    } catch (error) {
      if (tenants.length > 1) for (const tenantId of tenants) await this.signEach([tenantId]);
      else this.log.error({ event: 'audit.checkpoint_failed', tenant_id: tenants[0] }, error);
    }
  }

  /** The newest checkpoint of each log, by tenant, after it was made; none of a tree that is locked when `lock` does not wait. */
  private async grow(tenants: readonly string[], lock: typeof lockTree): Promise<Map<string, CheckpointRow>> {
    const keys = new Map<string, LogKey>();
    for (const tenantId of tenants) keys.set(tenantId, await this.keys.of(tenantId));
    return this.transactions.run(tenants, async (tx) => {
      const [trees, heads, newest] = await Promise.all([
        tx.query<TreeRow>(lock, [tenants]),
        tx.query<{ tenant_id: string; size: string }>(readHeads, [tenants]),
        tx.query<CheckpointRow & { tenant_id: string }>(newestCheckpoints, [tenants]),
      ]);
      const sizes = new Map(heads.map(({ tenant_id: tenantId, size }) => [tenantId, Number(size)]));
      const signed = new Map<string, CheckpointRow>(newest.map((row) => [row.tenant_id, row]));
      const growths = trees
        .map((tree) => new TreeGrowth(tx, tree, sizes.get(tree.tenant_id) ?? 0))
        .filter(({ tenantId, isGrown }) => isGrown || !signed.has(tenantId));
      await this.readLeaves(tx, growths);
      const extended = [];
      for (const growth of growths) {
        const { tenantId, size, diverged } = growth;
        if (!diverged) {
          extended.push(growth);
          continue;
        }
        const error = new LogDiverged(diverged);
        if (!signed.has(tenantId)) throw error;
        this.log.error({ event: 'audit.log_diverged', tenant_id: tenantId, size, signed: growth.from }, error);
      }
      const rows = await this.extend(tx, extended, keys);
      const locked = new Set(trees.map(({ tenant_id: tenantId }) => tenantId));
      return new Map([...signed, ...rows].filter(([tenantId]) => locked.has(tenantId)));
    });
  }

  private async readLeaves(tx: Tx, growths: readonly TreeGrowth[]): Promise<void> {
    for (;;) {
      const hungry = growths.filter(({ wantsLeaves }) => wantsLeaves);
      if (hungry.length === 0) return;
      const each = Math.ceil(LEAVES_AT_ONCE / hungry.length);
      const untils = hungry.map(({ next, size }) => Math.min(size, next + each));
      const leaves = await tx.query<LeafRow>(readLeaves, [
        hungry.map(({ tenantId }) => tenantId),
        hungry.map(({ next }) => next),
        untils,
      ]);
      const byTenant = new Map(hungry.map((growth) => [growth.tenantId, growth]));
      for (const leaf of leaves) byTenant.get(leaf.tenant_id)?.take(leaf);
      hungry.forEach((growth, i) => growth.expect(untils[i] ?? 0));
    }
  }

  private async extend(
    tx: Tx,
    growths: readonly TreeGrowth[],
    keys: ReadonlyMap<string, LogKey>,
  ): Promise<(readonly [string, CheckpointRow])[]> {
    if (growths.length === 0) return [];
    const signedAt = this.clock.now();
    const rows = [];
    for (const growth of growths) {
      await growth.finishTiles();
      const { tenantId, size } = growth;
      const key = keys.get(tenantId);
      if (!key) throw new Error('a log is signed under a key');
      const root = growth.root();
      const { signature, note } = signCheckpoint(key, { size, root });
      const row: CheckpointRow = { tree_size: String(size), root_hash: root, signed_at: signedAt, signature, note };
      rows.push([tenantId, row] as const);
    }
    tx.send(extendTrees, [
      growths.map(({ tenantId }) => tenantId),
      growths.map(({ size }) => size),
      growths.map((growth) => growth.frontierBytes()),
      growths.map(({ last }) => last),
      rows.map(([, { root_hash: root }]) => root),
      signedAt,
      rows.map(([, { signature }]) => signature),
      rows.map(([, { note }]) => note),
    ]);
    return rows;
  }

  private toHead(
    tenantId: string,
    { origin, publicKey }: { origin: string; publicKey: Buffer },
    row: CheckpointRow,
  ): TreeHead {
    return {
      tenantId,
      origin,
      publicKey,
      size: Number(row.tree_size),
      root: row.root_hash,
      signedAt: row.signed_at,
      signature: row.signature,
      note: row.note,
    };
  }
}
