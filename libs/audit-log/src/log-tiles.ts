import { nodeHash, rootOf, type TreeNode } from '@haldir/verifier';
import { type TileStore } from './log-tree.repository.js';

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

/** How many hashes a tile holds in the tree of `size` leaves. */
export function widthOfTile(size: number, { level, index }: Pick<TilePlace, 'level' | 'index'>): number {
  return Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH);
}

/** The hashes of a tile and all that are folded from them. */
export class FoldedTile {
  /** By height: the tile's own, those of pairs of them, of fours and so on. */
  private readonly rows: Buffer[];

  /** @throws Error when there are not `width` hashes */
  constructor(hashes: Buffer, width: number) {
    if (hashes.length !== width * HASH_BYTES) throw new Error('a tile of a signed tree does not hold what was signed');
    this.rows = [hashes];
    for (let row = hashes; row.length >= 2 * HASH_BYTES;) {
      const above = Buffer.alloc(Math.floor(row.length / 2 / HASH_BYTES) * HASH_BYTES);
      for (let at = 0; at < above.length; at += HASH_BYTES) {
        const left = row.subarray(2 * at, 2 * at + HASH_BYTES);
        above.set(nodeHash(left, row.subarray(2 * at + HASH_BYTES, 2 * at + 2 * HASH_BYTES)), at);
      }
      this.rows.push(above);
      row = above;
    }
  }

  get bytes(): number {
    return this.rows.reduce((sum, { length }) => sum + length, 0);
  }

  /** The hash of a complete subtree. @throws Error when the tile does not reach that far */
  hashAt({ first, count }: TilePlace): Buffer {
    const at = (first / count) * HASH_BYTES;
    const hash = this.rows[Math.log2(count)]?.subarray(at, at + HASH_BYTES);
    if (hash?.length !== HASH_BYTES) throw new Error('a tile does not hold what was built from it');
    return hash;
  }
}

export function splitHashes(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

/** Turns leaves, taken in their order from the beginning of a tile on, into tiles of every level. */
export class TileWriter {
  private leaves: Buffer[] = [];
  private readonly ups = new Map<string, { level: number; index: number; hashes: Buffer[] }>();

  /** @param index of the tile that the first leaf begins */
  constructor(
    private readonly tiles: TileStore,
    private readonly tenantId: string,
    private index: number,
  ) {}

  take(leaf: Buffer): void {
    this.leaves.push(leaf);
    if (this.leaves.length < TILE_WIDTH) return;
    this.tiles.keepTile(this.tenantId, 0, this.index, Buffer.concat(this.leaves));
    this.growParent(1, this.index, rootOf(this.leaves));
    this.leaves = [];
    this.index++;
  }

  /** Writes the upper levels; to be called once, after the last leaf. */
  async finish(): Promise<void> {
    // A full tile adds to the level above while the loop runs.
    for (const up of this.ups.values()) {
      const { level, index, hashes } = up;
      const full = await this.tiles.growTile(this.tenantId, level, index, Buffer.concat(hashes));
      if (full) this.growParent(level + 1, index, rootOf(splitHashes(full)));
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
