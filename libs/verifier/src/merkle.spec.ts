import { hash } from 'node:crypto';
import fc from 'fast-check';
import {
  consistencyPath,
  EMPTY_ROOT,
  foldNodes,
  Frontier,
  inclusionPath,
  nodeHash,
  nodesOf,
  provesConsistency,
  provesInclusion,
  type Range,
  rootOf,
} from './merkle.js';

const leafOf = (data: Buffer): Buffer => hash('sha256', Buffer.concat([Buffer.from([0]), data]), 'buffer');
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const LEAVES = INPUTS.map((hex) => leafOf(Buffer.from(hex, 'hex')));
const manyLeaves = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => leafOf(Buffer.from(String(i))));

/** RFC 6962, 2.1, word for word. */
function naiveRoot(leaves: Buffer[]): Buffer {
  if (leaves.length === 0) return hash('sha256', '', 'buffer');
  if (leaves.length === 1) return leaves[0] as Buffer;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}
const hashOf = (leaves: Buffer[], { from, to }: Range): Buffer => naiveRoot(leaves.slice(from, to));
const hex = (hashes: Buffer[]): string[] => hashes.map((bytes) => bytes.toString('hex'));

describe('the Merkle tree of RFC 6962', () => {
  it('has the roots of the Certificate Transparency vectors', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf(LEAVES.slice(0, 1)).toString('hex')).toMatch(/^6e340b9c.*afa01d$/);
    expect(rootOf(LEAVES.slice(0, 3)).toString('hex')).toBe(
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    );
    expect(rootOf(LEAVES.slice(0, 7)).toString('hex')).toBe(
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    );
    expect(rootOf(LEAVES).toString('hex')).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });

  it('has the proofs of the vectors', () => {
    expect(hex(inclusionPath(5, 8).map((range) => hashOf(LEAVES, range)))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
    expect(hex(consistencyPath(6, 8).map((range) => hashOf(LEAVES, range)))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
    expect(hex(consistencyPath(2, 5).map((range) => hashOf(LEAVES.slice(0, 5), range)))).toEqual([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]);
  });

  it('folds the nodes of any range of a proof into its hash, and grows leaf by leaf to the same root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (size) => {
        const leaves = manyLeaves(size);
        const fromNodes = (range: Range): Buffer =>
          foldNodes(
            nodesOf(range).map(({ height, index }) =>
              naiveRoot(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)),
            ),
          );
        expect(fromNodes({ from: 0, to: size })).toEqual(naiveRoot(leaves));
        expect(rootOf(leaves)).toEqual(naiveRoot(leaves));
        for (const range of inclusionPath(size >> 1, size)) expect(fromNodes(range)).toEqual(hashOf(leaves, range));
      }),
      { numRuns: 50 },
    );
  });

  it('proves every leaf of every tree, and nothing else', () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = manyLeaves(size);
      const root = naiveRoot(leaves);
      for (let index = 0; index < size; index++) {
        const path = inclusionPath(index, size).map((range) => hashOf(leaves, range));
        expect(provesInclusion(leaves[index] as Buffer, index, size, path, root)).toBe(true);
        expect(provesInclusion(leaves[index] as Buffer, (index + 1) % size, size, path, root)).toBe(size === 1);
        expect(provesInclusion(leaves[index] as Buffer, index, size, [...path, root], root)).toBe(false);
        expect(provesInclusion(Buffer.alloc(32), index, size, path, root)).toBe(false);
      }
    }
  });

  it('proves every prefix of every tree, and no other history', () => {
    for (let second = 1; second <= 40; second++) {
      const leaves = manyLeaves(second);
      const secondRoot = naiveRoot(leaves);
      for (let first = 1; first <= second; first++) {
        const firstRoot = naiveRoot(leaves.slice(0, first));
        const path = consistencyPath(first, second).map((range) => hashOf(leaves, range));
        expect(provesConsistency(first, second, firstRoot, secondRoot, path)).toBe(true);
        const otherRoot = naiveRoot([Buffer.alloc(32), ...leaves.slice(1, first)]);
        expect(provesConsistency(first, second, otherRoot, secondRoot, path)).toBe(false);
        expect(provesConsistency(first, second, firstRoot, Buffer.alloc(32), path)).toBe(false);
        if (path.length > 0) {
          const flipped = path.map((bytes, i) => (i === 0 ? Buffer.from(bytes.map((byte) => byte ^ 1)) : bytes));
          expect(provesConsistency(first, second, firstRoot, secondRoot, flipped)).toBe(false);
          expect(provesConsistency(first, second, firstRoot, secondRoot, path.slice(1))).toBe(false);
        }
      }
    }
  });

  it('knows the root of a growing tree at every size, wherever it was interrupted', () => {
    let frontier = new Frontier();
    const leaves = manyLeaves(70);
    for (const [i, leaf] of leaves.entries()) {
      frontier.append(leaf);
      expect(frontier.root()).toEqual(naiveRoot(leaves.slice(0, i + 1)));
      frontier = Frontier.resume(i + 1, frontier.hashes());
    }
  });

  it('refuses sizes that are none', () => {
    expect(provesInclusion(Buffer.alloc(32), 0, 0, [], EMPTY_ROOT)).toBe(false);
    expect(provesInclusion(Buffer.alloc(32), -1, 4, [], EMPTY_ROOT)).toBe(false);
    expect(provesInclusion(Buffer.alloc(32), 2 ** 60, 2 ** 61, [], EMPTY_ROOT)).toBe(false);
    expect(provesConsistency(0, 4, EMPTY_ROOT, EMPTY_ROOT, [])).toBe(false);
    expect(provesConsistency(5, 4, EMPTY_ROOT, EMPTY_ROOT, [])).toBe(false);
  });
});
