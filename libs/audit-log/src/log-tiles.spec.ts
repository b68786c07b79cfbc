import { hash } from 'node:crypto';
import { rootOf } from '@haldir/verifier';
import { FoldedTile, placeOfNode, splitHashes, widthOfTile } from './log-tiles.js';

const hashes = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => hash('sha256', String(i), 'buffer')));

describe('a folded tile', () => {
  it.each([1, 2, 3, 100, 255, 256])('of %i hashes has the root over each of its complete subtrees', (width) => {
    const leaves = hashes(width);
    const tile = new FoldedTile(leaves, width);
    for (let height = 0; height < 8; height++) {
      for (let index = 0; (index + 1) * 2 ** height <= width; index++) {
        const place = placeOfNode({ height, index });
        const { first, count } = place;
        expect(tile.hashAt(place)).toEqual(rootOf(splitHashes(leaves.subarray(first * 32, (first + count) * 32))));
      }
    }
  });

  it('is not made of more or fewer hashes than were signed, and says nothing beyond them', () => {
    expect(() => new FoldedTile(hashes(9), 10)).toThrow('does not hold');
    expect(() => new FoldedTile(hashes(11), 10)).toThrow('does not hold');
    const tile = new FoldedTile(hashes(10), 10);
    expect(() => tile.hashAt({ level: 0, index: 0, first: 8, count: 4 })).toThrow('does not hold');
    expect(() => tile.hashAt({ level: 0, index: 0, first: 10, count: 1 })).toThrow('does not hold');
  });
});

it('fills tiles of each level from the left', () => {
  const size = 256 * 256 + 256 * 3 + 7;
  const widths = (level: number): number[] => [0, 1, 2].map((index) => widthOfTile(size, { level, index }));
  expect(widths(1)).toEqual([256, 3, -253]);
  expect(widthOfTile(size, { level: 0, index: 256 + 3 })).toBe(7);
  expect(widthOfTile(size, { level: 2, index: 0 })).toBe(1);
});
