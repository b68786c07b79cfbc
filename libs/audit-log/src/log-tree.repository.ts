import { Injectable } from '@nestjs/common';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { LessThan, MoreThanOrEqual } from 'typeorm';
import { Checkpoint } from './checkpoint.entity.js';

/** A tree as it was signed last. */
export interface StoredTree {
  tenantId: string;
  size: number;
  frontier: Buffer;
  /** Of the last entry in it. */
  last: Buffer;
}

/** A tree as it is signed now. */
export interface SignedTree extends Pick<StoredTree, 'frontier' | 'last'> {
  checkpoint: Checkpoint;
}

/** An entry as the tree has it. */
export interface Leaf {
  tenantId: string;
  seq: number;
  previous: Buffer;
  hash: Buffer;
}

type NewHashes = [tenantId: string, level: number, index: number, hashes: Buffer];

export interface TileStore {
  /** Adds hashes to a tile; answers all of the tile's when it has become full, else null. */
  growTile(...tile: NewHashes): Promise<Buffer | null>;
  /** The same without the answer, which the transaction waits for. */
  keepTile(...tile: NewHashes): void;
}

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
const checkpoints = columnsOf(Checkpoint);
const newestCheckpoints = {
  name: 'audit_checkpoint.newest.v3',
  text: `SELECT c.* FROM unnest($1::text[]) AS w(tenant_id)
          CROSS JOIN LATERAL (SELECT ${checkpoints.list} FROM audit_checkpoint
                               WHERE tenant_id = w.tenant_id ORDER BY tree_size DESC LIMIT 1) AS c`,
};
const newestWithSize = {
  name: 'audit_checkpoint.newest_with_size.v2',
  text: `SELECT ${checkpoints.of('c')}, h.size AS log_size
           FROM audit_head h JOIN audit_checkpoint c ON c.tenant_id = h.tenant_id
          WHERE h.tenant_id = $1 ORDER BY c.tree_size DESC LIMIT 1`,
};
const spreadNotes = `
  SELECT note FROM (
    SELECT note, tree_size, row_number() OVER (ORDER BY tree_size DESC) AS n, count(*) OVER () AS total
      FROM audit_checkpoint WHERE tenant_id = $1 AND tree_size < $2 AND tree_size > 0) AS c
   WHERE (n - 1) % ceil(total / $3::numeric)::bigint = 0 ORDER BY tree_size`;
const unsigned = {
  name: 'audit_tree.unsigned.v2',
  text: `SELECT h.tenant_id FROM audit_head h JOIN audit_tree t ON t.tenant_id = h.tenant_id WHERE h.size > t.size`,
};
const oldestUnsigned = `
  SELECT min(e.at) AS oldest FROM audit_head h JOIN audit_tree t ON t.tenant_id = h.tenant_id
    JOIN audit_entry e ON e.tenant_id = h.tenant_id AND e.seq = t.size
   WHERE h.size > t.size`;
const growTile = { name: 'audit_tile.grow.v2', text: 'SELECT audit_tile_grow($1, $2, $3, $4) AS full' };

/** The Merkle tree over each log: how far it is built, and what was signed of it. */
@Injectable()
export class LogTreeRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The newest checkpoint of a log, and how many entries the log has by now; null for one that was never signed. */
  async newest(tenantId: string): Promise<(Checkpoint & { logSize: number }) | null> {
    const [row] = await this.transactions.query<{ log_size: string }>(newestWithSize, [tenantId]);
    return row ? { ...checkpoints.toEntity(row), logSize: Number(row.log_size) } : null;
  }

  /** Up to `limit` checkpoints, newest first, of trees smaller than `before`. */
  checkpoints(tenantId: string, limit: number, before: number | null): Promise<Checkpoint[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.find(Checkpoint, {
        where: { tenantId, ...(before !== null && { size: LessThan(before) }) },
        order: { size: 'DESC' },
        take: limit,
      }),
    );
  }

  /** The checkpoint of the smallest tree with at least `size` entries; null while none was signed. */
  firstHolding(tenantId: string, size: number): Promise<Checkpoint | null> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findOne(Checkpoint, { where: { tenantId, size: MoreThanOrEqual(size) }, order: { size: 'ASC' } }),
    );
  }

  /** Notes of trees smaller than `size`, oldest first; at most `most` of them, evenly spread. */
  async notesBefore(tenantId: string, size: number, most: number): Promise<string[]> {
    const rows = await this.transactions.query<{ note: string }>(spreadNotes, [tenantId, size, most]);
    return rows.map(({ note }) => note);
  }

  /** Tenants whose logs have grown since they were signed. */
  async grown(): Promise<string[]> {
    const rows = await this.transactions.queryAll<{ tenant_id: string }>(unsigned);
    return rows.map(({ tenant_id: tenantId }) => tenantId);
  }

  /** When the oldest entry was appended that no checkpoint holds yet; null when all are signed. */
  async oldestUnsigned(): Promise<Date | null> {
    const [row] = await this.transactions.queryAll<{ oldest: Date | null }>(oldestUnsigned);
    return row?.oldest ?? null;
  }

  in(tx: Tx) {
    const tiles: TileStore = {
      growTile: async (...tile) => {
        const [row] = await tx.query<{ full: Buffer | null }>(growTile, tile);
        return row?.full ?? null;
      },
      keepTile: (...tile) => tx.send(growTile, tile),
    };
    return {
      tiles,
      /** Locks trees until the transaction ends; leaves out those that somebody else is at, unless it is to wait. */
      lock: async (tenants: readonly string[], ifLocked: 'wait' | 'skip'): Promise<StoredTree[]> => {
        type Row = { tenant_id: string; size: string; frontier: Buffer; last_hash: Buffer };
        const rows = await tx.query<Row>(ifLocked === 'wait' ? lockTree : tryLockTree, [tenants]);
        return rows.map(({ tenant_id: tenantId, size, frontier, last_hash: last }) => ({
          tenantId,
          size: Number(size),
          frontier,
          last,
        }));
      },
      /** How many entries each log has. */
      sizes: async (tenants: readonly string[]): Promise<Map<string, number>> => {
        const rows = await tx.query<{ tenant_id: string; size: string }>(readHeads, [tenants]);
        return new Map(rows.map(({ tenant_id: tenantId, size }) => [tenantId, Number(size)]));
      },
      newest: async (tenants: readonly string[]): Promise<Map<string, Checkpoint>> => {
        const found = (await tx.query(newestCheckpoints, [tenants])).map((row) => checkpoints.toEntity(row));
        return new Map(found.map((checkpoint) => [checkpoint.tenantId, checkpoint]));
      },
      /** The entries of some stretches, each in its order. */
      leaves: async (stretches: readonly { tenantId: string; from: number; to: number }[]): Promise<Leaf[]> => {
        type Row = { tenant_id: string; seq: string; prev_hash: Buffer; entry_hash: Buffer };
        const rows = await tx.query<Row>(readLeaves, [
          stretches.map(({ tenantId }) => tenantId),
          stretches.map(({ from }) => from),
          stretches.map(({ to }) => to),
        ]);
        return rows.map(({ tenant_id: tenantId, seq, prev_hash: previous, entry_hash: hash }) => ({
          tenantId,
          seq: Number(seq),
          previous,
          hash,
        }));
      },
      /** Keeps trees and their checkpoints; does not wait for the answer. */
      extend: (trees: readonly SignedTree[]): void =>
        tx.send(extendTrees, [
          trees.map(({ checkpoint }) => checkpoint.tenantId),
          trees.map(({ checkpoint }) => checkpoint.size),
          trees.map(({ frontier }) => frontier),
          trees.map(({ last }) => last),
          trees.map(({ checkpoint }) => checkpoint.root),
          trees[0]?.checkpoint.signedAt,
          trees.map(({ checkpoint }) => checkpoint.signature),
          trees.map(({ checkpoint }) => checkpoint.note),
        ]),
    };
  }
}
