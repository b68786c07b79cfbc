import { Injectable } from '@nestjs/common';
import { consistencyPath, foldNodes, inclusionPath, nodesOf, type Range } from '@haldir/verifier';
import { LRUCache } from 'lru-cache';
import { FoldedTile, placeOfNode, TILE_WIDTH, type TilePlace, widthOfTile } from './log-tiles.js';
import { LogTileRepository, type ReadTile } from './log-tile.repository.js';
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

/** What a process remembers of tiles, in bytes: the upper levels of many logs, and the lowest of those asked about often. */
const MAX_REMEMBERED = 32 * 1024 * 1024;

/** Proofs against signed tree heads, from O(log n) stored hashes; what was signed does not change, so it is remembered folded. */
@Injectable()
export class LogProofs {
  /** By tenant, level, index and how far the tile is filled. */
  private readonly folded = new LRUCache<string, FoldedTile>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: ({ bytes }) => bytes,
  });

  constructor(
    private readonly tree: LogTree,
    private readonly tiles: LogTileRepository,
  ) {}

  /** Null when the tenant's log has no such entry. */
  async inclusion(tenantId: string, entryId: string): Promise<InclusionProof | null> {
    const leaf = await this.tiles.leaf(tenantId, entryId);
    if (!leaf) return null;
    const leafIndex = leaf.seq;
    const head = await this.tree.head(tenantId, leafIndex + 1);
    if (leafIndex >= head.size) return null;
    const path = await this.hashesOf(tenantId, head.size, inclusionPath(leafIndex, head.size));
    return { head, leafIndex, leafHash: leaf.hash, path };
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
   * The hash of each range of the tree, read with two statements at most.
   *
   * @param size of a signed tree that holds the ranges: its full tiles are there
   */
  private async hashesOf(tenantId: string, size: number, ranges: readonly Range[]): Promise<Buffer[]> {
    const nodes = ranges.map((range) => nodesOf(range).map(placeOfNode));
    const tiles = await this.tilesOf(tenantId, size, nodes.flat());
    const hashOf = (place: TilePlace): Buffer => {
      const tile = tiles.get(keyOf(place));
      if (!tile) throw new Error('a tile of a signed tree is missing');
      return tile.hashAt(place);
    };
    return nodes.map((places) => foldNodes(places.map(hashOf)));
  }

  /** The tiles of the places, as far as the tree of `size` fills them. */
  private async tilesOf(
    tenantId: string,
    size: number,
    places: readonly TilePlace[],
  ): Promise<ReadonlyMap<string, FoldedTile>> {
    const found = new Map<string, FoldedTile>();
    const missing = new Map<string, TilePlace & { width: number }>();
    for (const place of places) {
      const width = widthOfTile(size, place);
      const known = this.folded.get(`${tenantId} ${keyOf(place)} ${width}`);
      if (known) found.set(keyOf(place), known);
      else missing.set(keyOf(place), { ...place, width });
    }
    for (const { level, index, width, hashes } of await this.read(tenantId, [...missing.values()])) {
      const key = keyOf({ level, index });
      const tile = new FoldedTile(hashes, width);
      found.set(key, tile);
      this.folded.set(`${tenantId} ${key} ${width}`, tile);
    }
    return found;
  }

  /** The leaves that fill no tile yet are read from the entries. */
  private async read(tenantId: string, tiles: readonly (TilePlace & { width: number })[]): Promise<ReadTile[]> {
    const isTail = ({ level, width }: { level: number; width: number }): boolean => level === 0 && width < TILE_WIDTH;
    const stored = tiles.filter((tile) => !isTail(tile));
    const tail = tiles.find(isTail);
    const [read, tailHashes] = await Promise.all([
      stored.length === 0 ? [] : this.tiles.read(tenantId, stored),
      tail && this.tiles.entryHashes(tenantId, tail.index * TILE_WIDTH, tail.index * TILE_WIDTH + tail.width),
    ]);
    return tail && tailHashes ? [...read, { ...tail, hashes: Buffer.concat(tailHashes) }] : read;
  }
}

function keyOf({ level, index }: Pick<TilePlace, 'level' | 'index'>): string {
  return `${level} ${index}`;
}
