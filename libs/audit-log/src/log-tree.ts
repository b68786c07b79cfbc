import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { Frontier } from '@haldir/verifier';
import { signCheckpoint } from './log-key.js';
import { LogKeys } from './log-keys.js';
import { splitHashes, TILE_WIDTH, TileWriter } from './log-tiles.js';

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

const LEAVES_AT_ONCE = 4096;

const lockTree = {
  name: 'audit_tree.lock.v2',
  text: 'SELECT size, frontier, last_hash FROM audit_tree_lock($1, true)',
};
const tryLockTree = {
  name: 'audit_tree.try_lock.v2',
  text: 'SELECT size, frontier, last_hash FROM audit_tree_lock($1, false)',
};
const extendTree = {
  name: 'audit_tree.extend.v1',
  text: 'SELECT audit_tree_extend($1, $2, $3, $4, $5, $6, $7, $8)',
};
const readHead = { name: 'audit_head.size.v1', text: 'SELECT size, hash FROM audit_head WHERE tenant_id = $1' };
const readLeaves = {
  name: 'audit_entry.leaves.v1',
  text: `SELECT seq, prev_hash, entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq`,
};
const newestCheckpoint = {
  name: 'audit_checkpoint.newest.v1',
  text: `SELECT tree_size, root_hash, signed_at, signature, note FROM audit_checkpoint
          WHERE tenant_id = $1 ORDER BY tree_size DESC LIMIT 1`,
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
  name: 'audit_tree.unsigned.v1',
  text: `SELECT h.tenant_id FROM audit_head h LEFT JOIN audit_tree t ON t.tenant_id = h.tenant_id
          WHERE h.size > coalesce(t.size, 0)`,
};

interface TreeRow {
  size: string;
  frontier: Buffer;
  last_hash: Buffer;
}

interface LeafRow {
  seq: string;
  prev_hash: Buffer;
  entry_hash: Buffer;
}

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
    @Inject(LogKeys) private readonly keys: LogKeys,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(Log) private readonly log: Log,
    @Inject(Clock) private readonly clock: Clock,
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
    const row = enough ? newest : await this.grow(tenantId, lockTree);
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

  /** Signs every log that has grown since it was signed last, leaving those that someone else is at. */
  async signGrown(): Promise<void> {
    const rows = await this.transactions.queryAll<{ tenant_id: string }>(unsigned);
    for (const { tenant_id: tenantId } of rows) {
      try {
        await this.keys.of(tenantId);
        await this.grow(tenantId, tryLockTree);
      } catch (error) {
        // One tenant's trouble holds up no other.
        this.log.error({ event: 'audit.checkpoint_failed', tenant_id: tenantId }, error);
      }
    }
  }

  /** Age in seconds of the oldest entry that no checkpoint holds yet; 0 when all are signed. */
  async lagSeconds(): Promise<number> {
    const [row] = await this.transactions.queryAll<{ oldest: Date | null }>({
      name: 'audit_tree.lag.v1',
      text: `SELECT min(e.at) AS oldest FROM audit_head h LEFT JOIN audit_tree t ON t.tenant_id = h.tenant_id
               JOIN audit_entry e ON e.tenant_id = h.tenant_id AND e.seq = coalesce(t.size, 0)
              WHERE h.size > coalesce(t.size, 0)`,
    });
    return row?.oldest ? Math.max(0, this.clock.now().getTime() - row.oldest.getTime()) / 1000 : 0;
  }

  /** Null when the tree is locked and `lock` does not wait. */
  private grow(tenantId: string, lock: typeof lockTree): Promise<CheckpointRow | null> {
    return this.transactions.run(tenantId, async (tx) => {
      const [tree] = await tx.query<TreeRow>(lock, [tenantId]);
      if (!tree) return null;
      const [[head], [newest]] = await Promise.all([
        tx.query<{ size: string; hash: Buffer }>(readHead, [tenantId]),
        tx.query<CheckpointRow>(newestCheckpoint, [tenantId]),
      ]);
      const size = Number(head?.size ?? 0);
      if (newest && size === Number(tree.size)) return newest;
      try {
        return await this.extend(tx, tenantId, tree, size);
      } catch (error) {
        if (!(error instanceof LogDiverged) || !newest) throw error;
        this.log.error({ event: 'audit.log_diverged', tenant_id: tenantId, size, signed: Number(tree.size) }, error);
        return newest;
      }
    });
  }

  private async extend(tx: Tx, tenantId: string, tree: TreeRow, size: number): Promise<CheckpointRow> {
    const key = await this.keys.of(tenantId);
    const from = Number(tree.size);
    if (size < from) throw new LogDiverged('the log is shorter than it was when it was signed');
    const frontier = Frontier.resume(from, splitHashes(tree.frontier));
    let last = tree.last_hash;
    // The tile that was left unfinished is read again from its beginning.
    const firstTile = Math.floor(from / TILE_WIDTH);
    const tiles = new TileWriter(tx, tenantId, firstTile);
    let next = firstTile * TILE_WIDTH;
    while (next < size) {
      const until = Math.min(size, next + LEAVES_AT_ONCE);
      for (const leaf of await tx.query<LeafRow>(readLeaves, [tenantId, next, until])) {
        if (Number(leaf.seq) !== next) break;
        if (next >= from) {
          if (!leaf.prev_hash.equals(last)) throw new LogDiverged('an entry does not follow the one before it');
          last = leaf.entry_hash;
          frontier.append(leaf.entry_hash);
        }
        tiles.take(leaf.entry_hash);
        next++;
      }
      if (next < until) throw new LogDiverged('an entry is missing');
    }
    await tiles.finish();
    const root = frontier.root();
    const signedAt = this.clock.now();
    const { signature, note } = signCheckpoint(key, { size, root });
    const frontierBytes = Buffer.concat(frontier.hashes());
    tx.send(extendTree, [tenantId, size, frontierBytes, last, root, signedAt, signature, note]);
    return { tree_size: String(size), root_hash: root, signed_at: signedAt, signature, note };
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
