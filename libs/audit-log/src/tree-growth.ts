import { Frontier } from '@haldir/verifier';
import { splitHashes, TILE_WIDTH, TileWriter } from './log-tiles.js';
import { type Leaf, type StoredTree, type TileStore } from './log-tree.repository.js';

/** A tree on its way from what was signed of its log to all there is now. */
export class TreeGrowth {
  readonly tenantId: string;
  readonly from: number;
  /** The entry that is wanted next. */
  next: number;
  last: Buffer;
  /** Why the log does not continue what was signed; null while it does. */
  diverged: string | null = null;
  private readonly frontier: Frontier;
  /** Null where no tile becomes full. */
  private readonly tiles: TileWriter | null;

  constructor(
    tiles: TileStore,
    tree: StoredTree,
    readonly size: number,
  ) {
    this.tenantId = tree.tenantId;
    this.from = tree.size;
    this.last = tree.last;
    this.frontier = Frontier.resume(this.from, splitHashes(tree.frontier));
    const firstTile = Math.floor(this.from / TILE_WIDTH);
    const fillsTile = Math.floor(size / TILE_WIDTH) > firstTile;
    this.tiles = fillsTile ? new TileWriter(tiles, this.tenantId, firstTile) : null;
    // A tile is written when it is full, from its beginning.
    this.next = fillsTile ? firstTile * TILE_WIDTH : this.from;
    if (size < this.from) this.diverged = 'the log is shorter than it was when it was signed';
  }

  get isGrown(): boolean {
    return this.size !== this.from;
  }

  get wantsLeaves(): boolean {
    return this.diverged === null && this.next < this.size;
  }

  take({ seq, previous, hash }: Leaf): void {
    if (this.diverged !== null || seq !== this.next) return;
    if (this.next >= this.from) {
      if (!previous.equals(this.last)) {
        this.diverged = 'an entry does not follow the one before it';
        return;
      }
      this.last = hash;
      this.frontier.append(hash);
    }
    this.tiles?.take(hash);
    this.next++;
  }

  /** To be told when all leaves before `until` should have come. */
  expect(until: number): void {
    if (this.diverged === null && this.next < until) this.diverged = 'an entry is missing';
  }

  async finishTiles(): Promise<void> {
    await this.tiles?.finish();
  }

  root(): Buffer {
    return this.frontier.root();
  }

  frontierBytes(): Buffer {
    return Buffer.concat(this.frontier.hashes());
  }
}
