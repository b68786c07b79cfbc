import { hash } from 'node:crypto';

/**
 * RFC 6962 Merkle trees over leaf hashes, as arithmetic: which complete subtrees a root or a proof is made of, and how
 * their hashes combine. Where the hashes come from is the caller's affair.
 */

/** The leaves from `from` up to, and without, `to`; as they occur in roots and proofs. */
export interface Range {
  from: number;
  to: number;
}

/** The complete subtree over the `2^height` leaves from `index × 2^height` on. */
export interface TreeNode {
  height: number;
  index: number;
}

/** SHA-256(0x01 ‖ left ‖ right) */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return hash('sha256', bytes, 'buffer');
}

/** The root of the empty tree. */
export const EMPTY_ROOT = hash('sha256', '', 'buffer');

/** The largest power of two smaller than `count`, which must be over 1. */
function split(count: number): number {
  let k = 1;
  while (k * 2 < count) k *= 2;
  return k;
}

/** The complete subtrees that make up a range, from left to right: one per bit of its length. */
export function nodesOf({ from, to }: Range): TreeNode[] {
  const nodes: TreeNode[] = [];
  let at = from;
  while (at < to) {
    let height = 0;
    let width = 1;
    while (width * 2 <= to - at) {
      width *= 2;
      height++;
    }
    nodes.push({ height, index: at / width });
    at += width;
  }
  return nodes;
}

/** The hash of a range from the hashes of its `nodesOf`, in their order. */
export function foldNodes(hashes: readonly Buffer[]): Buffer {
  let folded = hashes.at(-1);
  if (!folded) return EMPTY_ROOT;
  for (let i = hashes.length - 2; i >= 0; i--) folded = nodeHash(hashes[i] as Buffer, folded);
  return folded;
}

/** The ranges whose hashes prove that leaf `index` is in the tree of `size` (RFC 6962, 2.1.1), from leaf to root. */
export function inclusionPath(index: number, size: number): Range[] {
  const path: Range[] = [];
  let range = { from: 0, to: size };
  while (range.to - range.from > 1) {
    const middle = range.from + split(range.to - range.from);
    const [left, right] = [
      { from: range.from, to: middle },
      { from: middle, to: range.to },
    ];
    if (index < middle) {
      path.push(right);
      range = left;
    } else {
      path.push(left);
      range = right;
    }
  }
  return path.reverse();
}

/** The ranges whose hashes prove that the tree of `first` leaves began the tree of `second` (RFC 6962, 2.1.2). */
export function consistencyPath(first: number, second: number): Range[] {
  const path: Range[] = [];
  let range = { from: 0, to: second };
  let whole = true;
  while (first !== range.to) {
    const middle = range.from + split(range.to - range.from);
    if (first <= middle) {
      path.push({ from: middle, to: range.to });
      range = { from: range.from, to: middle };
    } else {
      path.push({ from: range.from, to: middle });
      range = { from: middle, to: range.to };
      whole = false;
    }
  }
  if (!whole) path.push(range);
  return path.reverse();
}

/** Whether `path` proves that the leaf hash is at `index` in the tree of that size and root. */
export function provesInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  const ranges = inclusionPath(index, size);
  if (ranges.length !== path.length) return false;
  let folded = leaf;
  for (const [i, { from }] of ranges.entries()) {
    const sibling = path[i] as Buffer;
    folded = from > index ? nodeHash(folded, sibling) : nodeHash(sibling, folded);
  }
  return folded.equals(root);
}

/** Whether `path` proves that the tree of `first` leaves and root began the one of `second`. */
export function provesConsistency(
  first: number,
  second: number,
  firstRoot: Buffer,
  secondRoot: Buffer,
  path: readonly Buffer[],
): boolean {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 1 || first > second) return false;
  if (first === second) return path.length === 0 && firstRoot.equals(secondRoot);
  const ranges = consistencyPath(first, second);
  if (ranges.length !== path.length) return false;
  // Where the first tree is no complete subtree of the second, the path begins with the innermost range they share.
  const startsWithSeed = ranges[0]?.to === first;
  let one = startsWithSeed ? (path[0] as Buffer) : firstRoot;
  let two = one;
  for (let i = startsWithSeed ? 1 : 0; i < ranges.length; i++) {
    const sibling = path[i] as Buffer;
    if ((ranges[i] as Range).from >= first) two = nodeHash(two, sibling);
    else {
      one = nodeHash(sibling, one);
      two = nodeHash(sibling, two);
    }
  }
  return one.equals(firstRoot) && two.equals(secondRoot);
}

/** The right edge of a growing tree: takes leaves one by one and knows the root at any moment, in O(log n) memory. */
export class Frontier {
  private readonly nodes: { height: number; hash: Buffer }[] = [];

  /** Goes on where a tree of `size` leaves was left, with what `hashes` gave then. */
  static resume(size: number, hashes: readonly Buffer[]): Frontier {
    const frontier = new Frontier();
    const nodes = nodesOf({ from: 0, to: size });
    if (nodes.length !== hashes.length) throw new Error('a tree has as many complete subtrees as its size has bits');
    nodes.forEach(({ height }, i) => frontier.nodes.push({ height, hash: hashes[i] as Buffer }));
    return frontier;
  }

  /** The roots of the complete subtrees, from left to right. */
  hashes(): Buffer[] {
    return this.nodes.map(({ hash }) => hash);
  }

  append(leaf: Buffer): void {
    let node = { height: 0, hash: leaf };
    for (;;) {
      const left = this.nodes.at(-1);
      if (left?.height !== node.height) break;
      this.nodes.pop();
      node = { height: node.height + 1, hash: nodeHash(left.hash, node.hash) };
    }
    this.nodes.push(node);
  }

  root(): Buffer {
    return foldNodes(this.hashes());
  }
}

/** The root over leaf hashes that are all at hand. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const frontier = new Frontier();
  for (const leaf of leaves) frontier.append(leaf);
  return frontier.root();
}
