import { rootOf, type TreeNode } from '@haldir/verifier';
import { type Tx } from '@haldir/database';

/** Hashes in a tile, and the height of the tree over them: C2SP tlog-tiles. */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const HASH_BYTES = 32;

/** Where in the tiles the hash of a complete subtree comes from: `count` neighbouring hashes of one tile, folded. */
export interface TilePlace {
  level: number;
  index: number;
  first: number;
  count: number;
}

export function placeOfNode({ height, index }: TreeNode): TilePlace {
  const level = Math.floor(height / TILE_HEIGHT);
  const count = 2 ** (height % TILE_HEIGHT);
  const at = index * count;
  return { level, index: Math.floor(at / TILE_WIDTH), first: at % TILE_WIDTH, count };
}

/** The hash of a subtree from the hashes of its tile. @throws Error when the tile does not reach that far */
export function foldTile(hashes: Buffer, { first, count }: TilePlace): Buffer {
  const end = (first + count) * HASH_BYTES;
  if (hashes.length < end) throw new Error('a tile does not hold what was built from it');
  return rootOf(splitHashes(hashes.subarray(first * HASH_BYTES, end)));
}

export function splitHashes(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

const growTile = { name: 'audit_tile.grow.v2', text: 'SELECT audit_tile_grow($1, $2, $3, $4) AS full' };

/** Turns leaves, taken in their order from the beginning of a tile on, into tiles of every level. */
export class TileWriter {
  private leaves: Buffer[] = [];
  private readonly ups = new Map<string, { level: number; index: number; hashes: Buffer[] }>();

  /** @param index of the tile that the first leaf begins */
  constructor(
    private readonly tx: Tx,
    private readonly tenantId: string,
    private index: number,
  ) {}

  take(leaf: Buffer): void {
    this.leaves.push(leaf);
    if (this.leaves.length < TILE_WIDTH) return;
    this.tx.send(growTile, [this.tenantId, 0, this.index, Buffer.concat(this.leaves)]);
    this.growParent(1, this.index, rootOf(this.leaves));
    this.leaves = [];
    this.index++;
  }

  /** Writes the upper levels; to be called once, after the last leaf. */
  async finish(): Promise<void> {
    // A full tile adds to the level above while the loop runs.
    for (const up of this.ups.values()) {
      const { level, index, hashes } = up;
      const [row] = await this.tx.query<{ full: Buffer | null }>(growTile, [
        this.tenantId,
        level,
        index,
        Buffer.concat(hashes),
      ]);
      if (row?.full) this.growParent(level + 1, index, rootOf(splitHashes(row.full)));
    }
  }

  private growParent(level: number, childIndex: number, root: Buffer): void {
    const index = Math.floor(childIndex / TILE_WIDTH);
    const key = `${level} ${index}`;
    const up = this.ups.get(key);
    if (up) up.hashes.push(root);
    else this.ups.set(key, { level, index, hashes: [root] });
  }
}
