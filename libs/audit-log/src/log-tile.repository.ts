import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

/** Where a tile stands, and how many of its hashes are wanted. */
interface WantedTile {
  level: number;
  index: number;
  width: number;
}

export interface ReadTile extends WantedTile {
  hashes: Buffer;
}

const findLeaf = {
  name: 'audit_entry.leaf_by_id.v1',
  text: 'SELECT seq, entry_hash FROM audit_entry WHERE tenant_id = $1 AND entry_id = $2',
};
const readTiles = {
  name: 'audit_tile.read.v2',
  text: `SELECT t.level, t.index, w.width, substring(t.hashes FOR w.width * 32) AS hashes
           FROM unnest($2::integer[], $3::bigint[], $4::integer[]) AS w(level, index, width)
           JOIN audit_tile t ON t.tenant_id = $1 AND t.level = w.level AND t.index = w.index`,
};
const readTail = {
  name: 'audit_entry.tail.v1',
  text: 'SELECT entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq',
};

/** Leaves of the logs' trees, and the hashes over them. */
@Injectable()
export class LogTileRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Where an entry stands; null when the log has none of that id. */
  async leaf(tenantId: string, entryId: string): Promise<{ seq: number; hash: Buffer } | null> {
    const [row] = await this.transactions.query<{ seq: string; entry_hash: Buffer }>(findLeaf, [tenantId, entryId]);
    return row ? { seq: Number(row.seq), hash: row.entry_hash } : null;
  }

  /** The tiles, as far as they are wanted; one that is not there is left out. */
  async read(tenantId: string, tiles: readonly WantedTile[]): Promise<ReadTile[]> {
    type Row = { level: number; index: string; width: number; hashes: Buffer };
    const rows = await this.transactions.query<Row>(readTiles, [
      tenantId,
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map(({ width }) => width),
    ]);
    return rows.map((row) => ({ ...row, index: Number(row.index) }));
  }

  /** Of the entries from one position up to, and without, another. */
  async entryHashes(tenantId: string, from: number, to: number): Promise<Buffer[]> {
    const rows = await this.transactions.query<{ entry_hash: Buffer }>(readTail, [tenantId, from, to]);
    return rows.map(({ entry_hash: hash }) => hash);
  }
}
