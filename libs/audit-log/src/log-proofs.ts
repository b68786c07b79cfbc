import { Inject, Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { consistencyPath, foldNodes, inclusionPath, nodesOf, type Range, type TreeNode } from '@haldir/verifier';
import { foldTile, placeOfNode, TILE_WIDTH } from './log-tiles.js';
import { LogTree, type TreeHead } from './log-tree.js';

/** That an entry is in the log as its tree head says. */
export interface InclusionProof {
  head: TreeHead;
  leafIndex: number;
  leafHash: Buffer;
  /** From the leaf to the root. */
  path: Buffer[];
}

/** That the log of `first` entries is how the one of `second` entries began. */
export interface ConsistencyProof {
  first: { size: number; root: Buffer };
  second: { size: number; root: Buffer };
  path: Buffer[];
}

const findLeaf = {
  name: 'audit_entry.leaf_by_id.v1',
  text: 'SELECT seq, entry_hash FROM audit_entry WHERE tenant_id = $1 AND entry_id = $2',
};
const readTiles = {
  name: 'audit_tile.read.v1',
  text: `SELECT t.level, t.index, t.hashes FROM unnest($2::integer[], $3::bigint[]) AS w(level, index)
           JOIN audit_tile t ON t.tenant_id = $1 AND t.level = w.level AND t.index = w.index`,
};
const readTail = {
  name: 'audit_entry.tail.v1',
  text: 'SELECT entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq',
};

/** Proofs against signed tree heads, from O(log n) stored hashes. */
@Injectable()
export class LogProofs {
  constructor(
    @Inject(LogTree) private readonly tree: LogTree,
    @Inject(Transactions) private readonly transactions: Transactions,
  ) {}

  /** Null when the tenant's log has no such entry. */
  async inclusion(tenantId: string, entryId: string): Promise<InclusionProof | null> {
    const [leaf] = await this.transactions.query<{ seq: string; entry_hash: Buffer }>(findLeaf, [tenantId, entryId]);
    if (!leaf) return null;
    const leafIndex = Number(leaf.seq);
    const head = await this.tree.head(tenantId, leafIndex + 1);
    if (leafIndex >= head.size) return null;
    const path = await this.hashesOf(tenantId, head.size, inclusionPath(leafIndex, head.size));
    return { head, leafIndex, leafHash: leaf.entry_hash, path };
  }

  /** Null unless `1 ≤ first ≤ second ≤ size` of the log. */
  async consistency(tenantId: string, first: number, second: number): Promise<ConsistencyProof | null> {
    if (first < 1 || first > second) return null;
    const { size } = await this.tree.head(tenantId, second);
    if (second > size) return null;
    const [firstRoot, secondRoot, ...path] = await this.hashesOf(tenantId, size, [
      { from: 0, to: first },
      { from: 0, to: second },
      ...(first === second ? [] : consistencyPath(first, second)),
    ]);
    if (!firstRoot || !secondRoot) throw new Error('every range has a hash');
    return { first: { size: first, root: firstRoot }, second: { size: second, root: secondRoot }, path };
  }

  /**
   * The hash of each range of the tree, read with two statements however many there are.
   *
   * @param size of a signed tree that holds the ranges: its full tiles are there
   */
  private async hashesOf(tenantId: string, size: number, ranges: readonly Range[]): Promise<Buffer[]> {
    const tailFrom = size - (size % TILE_WIDTH);
    const isInTail = ({ height, index }: TreeNode): boolean => (index + 1) * 2 ** height > tailFrom && height < 8;
    const nodes = ranges.map(nodesOf);
    const places = nodes
      .flat()
      .filter((node) => !isInTail(node))
      .map(placeOfNode);
    const wanted = [...new Map(places.map((place) => [`${place.level} ${place.index}`, place])).values()];
    const needsTail = nodes.flat().some(isInTail);
    const [tileRows, tailRows] = await Promise.all([
      wanted.length === 0
        ? []
        : this.transactions.query<{ level: number; index: string; hashes: Buffer }>(readTiles, [
            tenantId,
            wanted.map(({ level }) => level),
            wanted.map(({ index }) => index),
          ]),
      needsTail ? this.transactions.query<{ entry_hash: Buffer }>(readTail, [tenantId, tailFrom, size]) : [],
    ]);
    const tiles = new Map(tileRows.map(({ level, index, hashes }) => [`${level} ${index}`, hashes]));
    const tail = Buffer.concat(tailRows.map(({ entry_hash: hash }) => hash));
    const hashOf = (node: TreeNode): Buffer => {
      const place = placeOfNode(node);
      const hashes = isInTail(node) ? tail : tiles.get(`${place.level} ${place.index}`);
      if (!hashes) throw new Error('a tile of a signed tree is missing');
      return foldTile(hashes, place);
    };
    return nodes.map((range) => foldNodes(range.map(hashOf)));
  }
}
